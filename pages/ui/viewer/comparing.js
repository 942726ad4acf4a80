// What the viewer knows and does where two images are compared; with `compare` false, nothing of it changes a page.

class Comparing {
  constructor() {
    this.compare = false;
    this.registration = null;
    this.blink = new Blink(this);
  }

  showCompared({ compare, panes }) {
    this.compare = compare;
    if (compare && !this.divider) this.divider = new Divider(this, this.panes[0].stage);
    this.registration = compare && panes[1].to_first ? new DOMMatrix(panes[1].to_first) : null;
  }

  // ---- which image is where

  // Both images on the first pane's canvas.
  get single() {
    return this.compare && this.view.layout !== "side";
  }

  get canCrop() {
    return this.crop.enabled && !this.single;
  }

  // From the first image's pixels to the second's; null where each is placed by its own size.
  get link() {
    if (this.registration && this.view.align) return this.registration;
    return this.single ? fittedInto(this.panes[0].described, this.panes[1].described) : null;
  }

  layersOn(pane) {
    if (!this.single) return [{ pane }];
    if (pane.index > 0) return [];
    if (this.view.layout === "blink") return [{ pane: this.panes[this.view.shown] }];
    const clips = besides(this, this.view.divider);
    return this.panes.map((layer, index) => ({ pane: layer, clip: clips[index] }));
  }

  // The image that is seen at this place of the pane's canvas; without a place the first of them.
  paneAt(pane, at) {
    if (!this.single) return pane;
    if (this.view.layout === "blink") return this.panes[this.view.shown];
    return this.panes[at && at[0] >= this.view.divider * pane.box.width ? 1 : 0];
  }

  // For screen readers; while it blinks one name for both, because it would be read out at every change.
  canvasName(layers) {
    if (this.blink.seconds) return `In turn: ${this.panes.map((pane) => pane.name).join("; ")}`;
    return layers.map(({ pane }) => pane.name).join("; ");
  }

  // ---- what the user chooses

  useLayout(layout) {
    if (layout === this.view.layout) return;
    const tool = this.view.tool === "crop" && layout !== "side" ? "pan" : this.view.tool;
    this.change({ layout, tool, playing: layout === "blink" && !prefersStill() });
  }

  toggleAlign() {
    if (this.registration) this.change({ align: !this.view.align });
  }

  toggleLink() {
    this.change({ linkWindow: !this.view.linkWindow, own: {} });
  }

  togglePlay() {
    if (this.view.layout === "blink") this.change({ playing: !this.view.playing });
  }

  stepBlink() {
    if (this.view.layout === "blink") this.change({ playing: false, shown: 1 - this.view.shown });
  }

  // ---- windows that are not linked

  ownKey(pane) {
    return `${pane.index} ${pane.described.image}`;
  }

  ownWindow(pane) {
    return this.view.own[this.ownKey(pane)] || { shift: 0, stretch: 1 };
  }

  // What a drag over this image starts from and changes: the window of both, or this one's.
  windowChange(pane) {
    const { shift, stretch, linkWindow } = this.view;
    if (!this.compare || linkWindow) return { from: { shift, stretch }, to: (values) => this.change(values) };
    const key = this.ownKey(pane);
    const to = (values) => this.change({ own: { ...this.view.own, [key]: values } });
    return { from: this.ownWindow(pane), to };
  }
}
