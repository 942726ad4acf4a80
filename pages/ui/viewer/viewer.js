// Ties the parts together and to Streamlit. The default export runs at every rerun of the page.

const DEFAULT_VIEW = {
  tool: "pan",
  zoom: 1, // 1 fits the pane
  cx: 0.5, // centre of what is seen, as a share of the image
  cy: 0.5,
  preset: "file",
  shift: 0, // of the window's centre, in widths of the preset
  stretch: 1, // of the window's width
  invert: false,
  opacity: 0.45,
  threshold: 0.25,
  colours: "turbo",
  truth: true, // outlines of the true regions, where the page knows them
  overlap: false, // heat inside them only
  ruler: null,
  own: {}, // windows that are not linked: shift and stretch of one image, on top of the common ones
  linkWindow: true,
  layout: "side", // of two images that are compared
  align: true, // by their registration, where there is one
  divider: 0.5, // share of the canvas left of the line of swipe
  shown: 0, // which image blink shows now
  playing: false,
  seconds: 0.7, // that blink shows each image
};

// What another image, or showing the display afresh, leaves as the user set it.
const KEPT_FOR_IMAGE = ["opacity", "threshold", "colours", "tool", "truth", "overlap"];
const KEPT_COMPARING = ["layout", "align", "linkWindow", "playing", "seconds"];

const chosen = (view, names) => Object.fromEntries(names.map((name) => [name, view[name]]));

// Views outlive their elements: Streamlit takes the component down at a page switch.
const VIEWS = new Map(); // token of session and key -> what is kept of it

// View, image, serials of the last crop and mark.
const freshlyKept = () => ({ view: { ...DEFAULT_VIEW }, image: "", serial: 0, markSerial: 0 });

class Viewer extends Comparing {
  constructor(root) {
    super();
    this.root = root;
    root.replaceChildren();
    this.toolbar = new Toolbar(this, root);
    this.grid = element("div", "panes", root);
    this.panes = [];
    this.crop = { enabled: false, pane: 0, box: null };
    this.cropping = false;
    this.moving = false;
    this.marker = new Marker(this, root);
    this.rulerKeys = new RulerKeys(this, root);
    attachKeys(this, root);
  }

  get view() {
    return this.kept.view;
  }

  update(data, setStateValue) {
    this.setStateValue = setStateValue;
    if (!VIEWS.has(data.token)) VIEWS.set(data.token, freshlyKept());
    this.kept = VIEWS.get(data.token);
    const image = data.panes[0].image;
    if (this.kept.image && this.kept.image !== image) {
      Object.assign(this.view, DEFAULT_VIEW, chosen(this.view, [...KEPT_FOR_IMAGE, ...KEPT_COMPARING]));
      this.marker.forget();
      this.rulerKeys.forget();
    }
    this.kept.image = image;
    const { ruler } = this.view;
    if (ruler && (data.panes[ruler.pane] || {}).image !== ruler.image) this.view.ruler = null;
    this.marker.follow(data.mark);
    this.followCrop(data.crop);
    this.root.style.setProperty("--viewer-height", `${data.height}px`);
    while (this.panes.length > data.panes.length) this.panes.pop().remove();
    while (this.panes.length < data.panes.length) {
      this.panes.push(new PaneView(this, this.panes.length, this.grid));
    }
    this.showCompared(data);
    this.hasHeat = data.panes.some((pane) => pane.heatmap);
    this.signedOnly = data.panes.every((pane) => !pane.heatmap || pane.heatmap.signed);
    this.hasTruth = data.panes.some((pane) => pane.masks.length);
    this.panes.forEach((pane, index) => pane.show(data.panes[index]));
    this.refresh();
  }

  // A page that has not yet heard of the last drag must not pull the box back.
  followCrop({ enabled, pane, box, serial }) {
    Object.assign(this.crop, { enabled, pane });
    if (!this.cropping && serial >= this.kept.serial) this.crop.box = box;
    if (!enabled && this.view.tool === "crop") this.view.tool = "pan";
  }

  change(values) {
    Object.assign(this.view, values);
    this.refresh();
  }

  // Any number of changes between two frames cost one drawing.
  refresh() {
    if (this.frame || !this.kept || this.gone) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.showControls();
      this.showLegends();
      for (const pane of this.panes) {
        if (this.view.tool !== "crop") pane.canvas.style.cursor = "";
        pane.draw();
        pane.tags.show(this, pane);
      }
      this.marker.show();
      this.rulerKeys.show();
    });
  }

  showControls() {
    this.toolbar.show(this.view, {
      crop: this.canCrop,
      mark: this.marker.enabled,
      heat: this.hasHeat,
      signed: this.signedOnly,
      truth: this.hasTruth,
      compare: this.compare,
      registered: Boolean(this.registration),
    });
    this.root.dataset.tool = this.view.tool;
    this.root.dataset.layout = this.compare ? this.view.layout : "";
    this.blink.follow(this.view, this.compare);
    if (this.compare) this.divider.show(this.view, this.panes.map((pane) => pane.described.title));
    else if (this.divider) this.divider.root.hidden = true;
  }

  // One canvas with two images needs the second's legend only where it says something else.
  showLegends() {
    const [first, second] = this.panes.map((pane) => pane.meaning);
    const both = this.single && first !== second;
    for (const pane of this.panes) {
      pane.root.hidden = this.single && pane.index > 0 && (!both || !second);
      pane.showLegends(both ? `${pane.described.title}: ` : "");
    }
  }

  moveTo(cx, cy) {
    this.change({ cx: clamp(cx, 0, 1), cy: clamp(cy, 0, 1) });
  }

  // This point of the pane's image goes to the middle.
  centreOn(pane, x, y) {
    this.moveTo(...pane.toShare(x, y));
  }

  // The point of the image under `at` stays there.
  zoomAt(pane, factor, at) {
    if (!pane.image) return;
    const [x, y] = pane.toImage(...at);
    this.view.zoom = clamp(this.view.zoom * factor, 0.5, 64);
    const [nowX, nowY] = pane.toImage(...at);
    const [cx, cy] = pane.centre;
    this.centreOn(pane, cx + x - nowX, cy + y - nowY);
  }

  zoomBy(factor) {
    this.change({ zoom: clamp(this.view.zoom * factor, 0.5, 64) });
  }

  fit() {
    this.change({ zoom: 1, cx: 0.5, cy: 0.5 });
  }

  nudge(dx, dy) {
    this.moveTo(this.view.cx + dx / this.view.zoom, this.view.cy + dy / this.view.zoom);
  }

  usePreset(preset) {
    this.change({ preset, shift: 0, stretch: 1, own: {} });
  }

  toggleTruth() {
    if (this.hasTruth) this.change({ truth: !this.view.truth, overlap: false });
  }

  // The overlap shows where the truth is, so it comes with its outline.
  toggleOverlap() {
    if (this.hasTruth && this.hasHeat) this.change({ truth: true, overlap: !this.view.overlap });
  }

  // Who has hidden the truth to look first does not get it back by fitting the image.
  reset() {
    this.change({ ...DEFAULT_VIEW, ...chosen(this.view, ["tool", "truth", "shown", ...KEPT_COMPARING]) });
  }

  escape() {
    this.toolbar.toggleHelp(false);
    this.rulerKeys.forget();
    this.change({ ruler: null });
  }

  sendCrop() {
    this.kept.serial += 1;
    const { image } = this.panes[this.crop.pane].described;
    this.setStateValue("crop", { box: this.crop.box, serial: this.kept.serial, image });
  }

  // A file that arrives later must not start anything again, such as the blinking.
  dispose() {
    this.gone = true;
    cancelAnimationFrame(this.frame);
    this.blink.stop();
    for (const pane of this.panes) pane.remove();
    this.root.viewer = null;
  }
}

export default function show({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".cxr-viewer");
  if (!root.viewer) root.viewer = new Viewer(root);
  root.viewer.update(data, setStateValue);
  // Newer data may have come while this was loaded; what ends then is not the viewer that shows them.
  root.calls = (root.calls || 0) + 1;
  const call = root.calls;
  return () => root.calls === call && root.viewer && root.viewer.dispose();
}
