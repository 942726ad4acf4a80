// The learner's mark: one place on one of the images, set by a click or by keys that move a crosshair.

const MARK_STEP = 0.04; // of the visible part, for one press of an arrow key
const MARK_FINE = 0.008; // with Shift
const MARK_COLOUR = "#ff6bf0"; // on no colour map, and unlike ruler, crop box and truth

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// What the page may have set, or a click sets: { pane, x, y } in pixels of that pane's image, or null.
class Marker {
  constructor(viewer, parent) {
    this.viewer = viewer;
    this.enabled = false;
    this.at = null;
    this.cross = null; // where the keys have moved to
    this.moving = false;
    this.line = element("div", "mark-line", parent, { role: "status" });
  }

  // A page that has not yet heard of the last click must not take the mark back.
  follow({ enabled, at, serial }) {
    const { view, kept } = this.viewer;
    if (!this.moving && serial >= kept.markSerial) this.at = at;
    if (enabled && !this.enabled) view.tool = "mark";
    if (!enabled && view.tool === "mark") view.tool = "pan";
    this.enabled = enabled;
    if (!enabled) this.cross = null;
  }

  forget() {
    this.cross = null;
    this.at = null;
  }

  set(at) {
    this.at = at;
    this.cross = null;
    this.viewer.refresh();
  }

  send() {
    this.viewer.kept.markSerial += 1;
    const { kept } = this.viewer;
    this.viewer.setStateValue("mark", { at: this.at, serial: kept.markSerial, image: kept.image });
  }

  // The crosshair starts at the mark, else in the middle of what is seen.
  moveCross(pane, [right, down], step) {
    const marked = this.viewer.paneAt(pane, null);
    const { width, height } = marked.box;
    const { cross, at } = this;
    const known = [cross, at].find((place) => place && place.pane === marked.index);
    const [x, y] = known ? marked.toScreen(known.x, known.y) : [width / 2, height / 2];
    const far = step * Math.min(width, height);
    this.cross = placeOn(marked, [x + right * far, y + down * far]);
    this.viewer.refresh();
  }

  placeCross(pane) {
    const marked = this.viewer.paneAt(pane, null);
    this.set(this.cross || placeOn(marked, [marked.box.width / 2, marked.box.height / 2]));
    this.send();
  }

  // The tool's own keys on an image; null for all others.
  action(event) {
    const { viewer } = this;
    const pane = viewer.panes.find((each) => each.canvas === event.target);
    if (!this.enabled || viewer.view.tool !== "mark" || !pane) return null;
    if (event.key === "Enter") return () => this.placeCross(pane);
    const arrow = ARROWS[event.key];
    return arrow ? () => this.moveCross(pane, arrow, event.shiftKey ? MARK_FINE : MARK_STEP) : null;
  }

  // Below the images, and for screen readers.
  show() {
    this.line.hidden = !this.enabled;
    if (!this.enabled) return;
    const { cross, at } = this;
    const text = cross
      ? `Crosshair ${placeInWords(this.viewer, cross)}. Enter sets the mark here.`
      : at
        ? `Your mark: ${placeInWords(this.viewer, at)}.`
        : "No mark yet: click the image, or use the arrow keys on it and press Enter.";
    if (this.line.textContent !== text) this.line.textContent = text;
  }
}

function placeInWords(viewer, { pane, x, y }) {
  const { title, width, height } = viewer.panes[pane].described;
  const name = viewer.panes.length > 1 ? `${title}, ` : "";
  return `${name}${Math.round((100 * x) / width)} % from the left, ${Math.round((100 * y) / height)} % from the top`;
}

function placeOn(pane, at) {
  const [x, y] = pane.toImage(...at);
  const { width, height } = pane.described;
  return { pane: pane.index, x: clamp(x, 0, width), y: clamp(y, 0, height) };
}

function markAction(viewer, pane, start) {
  const { marker } = viewer;
  const marked = viewer.paneAt(pane, start);
  const before = marker.at;
  marker.moving = true;
  marker.set(placeOn(marked, start));
  return {
    move(at) {
      marker.set(placeOn(marked, at));
    },
    end(cancelled) {
      marker.moving = false;
      if (cancelled) marker.set(before);
      else marker.send();
    },
  };
}

// The mark that the user sets, or the one that the page shows on this pane.
function drawMark(context, pane) {
  const { marker } = pane.viewer;
  const shown = marker.enabled ? marker.at : pane.described.mark && { pane: pane.index, ...pane.described.mark };
  if (shown && shown.pane === pane.index) {
    const [x, y] = pane.toScreen(shown.x, shown.y);
    const ring = new Path2D(`M${x - 16} ${y}h10M${x + 6} ${y}h10M${x} ${y - 16}v10M${x} ${y + 6}v10`);
    ring.moveTo(x + 10, y);
    ring.arc(x, y, 10, 0, 2 * Math.PI);
    outlined(context, ring, MARK_COLOUR);
  }
  drawCross(context, pane, marker.cross, MARK_COLOUR);
  drawCross(context, pane, pane.viewer.rulerKeys.cross, RULER_COLOUR);
}

function drawCross(context, pane, cross, colour) {
  if (!cross || cross.pane !== pane.index) return;
  const [x, y] = pane.toScreen(cross.x, cross.y);
  const { width, height } = pane.box;
  outlined(context, new Path2D(`M0 ${y}H${x - 8}M${x + 8} ${y}H${width}M${x} 0V${y - 8}M${x} ${y + 8}V${height}`), colour);
}
