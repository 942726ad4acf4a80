// The ruler by keys: a crosshair that arrow keys move, and Enter for each of its two ends.

class RulerKeys {
  constructor(viewer, parent) {
    this.viewer = viewer;
    this.forget();
    this.line = element("div", "mark-line", parent, { role: "status" });
  }

  forget() {
    this.cross = null; // where the keys have moved to: { pane, x, y } in pixels of that pane's image
    this.from = null; // the end that is set, while the other one moves
  }

  // The tool's own keys on an image; null for all others.
  action(event) {
    const { viewer } = this;
    const pane = viewer.panes.find((each) => each.canvas === event.target);
    if (viewer.view.tool !== "ruler" || !pane || !pane.image) return null;
    if (event.key === "Enter") return () => this.setEnd(pane);
    const arrow = ARROWS[event.key];
    return arrow ? () => this.move(pane, arrow, event.shiftKey ? MARK_FINE : MARK_STEP) : null;
  }

  // On another image of two it starts anew, in the middle of what is seen.
  crossOn(pane) {
    const measured = this.viewer.paneAt(pane, null);
    if (this.cross && this.cross.pane !== measured.index) this.forget();
    this.cross ||= placeOn(measured, [measured.box.width / 2, measured.box.height / 2]);
    return measured;
  }

  move(pane, [right, down], step) {
    const measured = this.crossOn(pane);
    const { width, height } = measured.box;
    const [x, y] = measured.toScreen(this.cross.x, this.cross.y);
    const far = step * Math.min(width, height);
    this.cross = placeOn(measured, [x + right * far, y + down * far]);
    if (this.from) {
      const { index, described } = measured;
      const to = [this.cross.x, this.cross.y];
      this.viewer.change({ ruler: { pane: index, image: described.image, from: this.from, to } });
    } else {
      this.viewer.refresh();
    }
  }

  setEnd(pane) {
    this.crossOn(pane);
    if (this.from) {
      this.from = null;
      this.viewer.refresh();
    } else {
      this.from = [this.cross.x, this.cross.y];
      this.viewer.change({ ruler: null });
    }
  }

  // Below the images, and for screen readers.
  show() {
    const { view, panes } = this.viewer;
    this.line.hidden = view.tool !== "ruler";
    if (this.line.hidden) {
      this.forget();
      return;
    }
    const measured = view.ruler && panes[view.ruler.pane];
    const length = measured && measured.image ? `Ruler: ${rulerText(measured)}. ` : "";
    const text = !this.cross
      ? `${length}Drag on the image, or move a crosshair with the arrow keys and press Enter at either end.`
      : this.from
        ? `${length}Enter sets the other end at ${placeInWords(this.viewer, this.cross)}.`
        : `${length}Crosshair ${placeInWords(this.viewer, this.cross)}. Enter sets an end here.`;
    if (this.line.textContent !== text) this.line.textContent = text;
  }
}
