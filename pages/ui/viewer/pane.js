// One pane: title, canvas, legend, readout. It draws; geometry.js says where, tools.js moves things.

const QUICK_PIXELS = 4e6; // windowed between two frames while a drag goes on
const WHOLE_AFTER = 1000; // milliseconds from a preview to the rest of the image, unless it is needed sooner
const HANDLES = ["nw", "n", "ne", "e", "se", "s", "sw", "w"];

const screenRatio = () => Math.min(window.devicePixelRatio || 1, 2);

function element(tag, className, parent, attributes = {}) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (parent) parent.append(made);
  return made;
}

class PaneView extends Placed {
  constructor(viewer, index, parent) {
    super(viewer, index);
    this.root = element("section", "pane", parent);
    this.title = element("div", "pane-title", this.root);
    this.stage = element("div", "stage", this.root);
    this.canvas = element("canvas", "", this.stage, { tabindex: "0", role: "img" });
    this.tags = new Tags(this.stage);
    this.message = element("div", "message", this.stage, { role: "status" });
    this.readout = element("div", "readout", this.root);
    this.legend = new HeatLegend(this.root);
    this.truthLegend = new TruthLegend(this.root);
    this.masks = [];
    this.problem = ""; // why there is no image to see
    this.heatMessage = "";
    this.pointer = null; // position of the mouse on the canvas
    this.milliseconds = 0; // of the last drawing; the tests hold it to a limit
    this.sizes = new ResizeObserver(() => viewer.refresh());
    this.sizes.observe(this.stage);
    attachTools(viewer, this);
  }

  remove() {
    this.sizes.disconnect();
    clearTimeout(this.rest);
    clearTimeout(this.wait);
    this.root.remove();
  }

  async show(described) {
    this.described = described;
    this.title.textContent = described.title;
    await Promise.all([this.showImage(described), this.showHeat(described.heatmap), this.showMasks(described.masks)]);
  }

  async showImage(described) {
    if (this.image && this.imageUrl === described.url) {
      this.image.presets.file = described.window;
      // What could not be loaded before is asked for again once somebody looks closer.
      if (this.problem) Object.assign(this, { problem: "", wanted: "" });
      this.viewer.refresh();
      return;
    }
    // Another image must never stand under this one's title, heatmap, outlines and scale.
    Object.assign(this, { image: null, quick: null, windowed: null, windowedAs: "", problem: "Loading image …" });
    this.viewer.refresh();
    clearTimeout(this.wait);
    this.wanted = "";
    const part = (!FILES.has(described.url) && described.preview) || { url: described.url, side: 1 };
    await this.fetchImage(described, part);
    if (part.side === 1 || this.described.url !== described.url || !this.root.isConnected) return;
    this.wait = setTimeout(() => this.needWhole(), WHOLE_AFTER);
  }

  // What is on the canvas stays when the whole image takes the place of its preview, whose means are the same.
  async fetchImage(described, part) {
    const first = this.imageUrl !== described.url;
    try {
      const image = await loadImage(described, part);
      if (this.described.url !== described.url) return;
      this.image = image;
      this.image.presets.file = this.described.window;
      this.quick = null;
      if (first) Object.assign(this, { windowed: null, windowedAs: "" });
      this.imageUrl = described.url;
      this.problem = "";
    } catch (error) {
      if (this.described.url !== described.url) return;
      const what = first ? "The image" : "The finest detail of the image";
      this.problem = `${what} could not be loaded (${error.message}). Reload the page.`;
    }
    this.viewer.refresh();
  }

  // The visitor has had time to look, or looks closer than the preview shows.
  needWhole() {
    const { url } = this.described;
    if (this.wanted === url || (this.imageUrl === url && this.image.side === 1)) return;
    this.wanted = url;
    this.fetchImage(this.described, { url, side: 1 });
  }

  async showHeat(described) {
    // Another map must never be coloured and named as this one.
    if (this.heatDescribed && described && this.heatDescribed.url !== described.url) this.heat = null;
    this.heatDescribed = described;
    this.heatMessage = "";
    if (!described) {
      this.heat = null;
      this.viewer.refresh();
      return;
    }
    try {
      const heat = await loadHeat(described);
      if (!this.heatDescribed || this.heatDescribed.url !== described.url) return;
      this.heat = heat;
      this.heatBox = described.box;
      this.heatCanvas = blankCanvas(heat.width, heat.height);
      this.heatAs = "";
    } catch (error) {
      if (!this.heatDescribed || this.heatDescribed.url !== described.url) return;
      this.heat = null;
      this.heatMessage = `Heatmap could not be loaded (${error.message}). Reload the page.`;
    }
    this.viewer.refresh();
  }

  async showMasks(described) {
    // The outline of another image must never lie on this one.
    const key = (masks) => (masks || []).map((mask) => mask.url).join();
    if (key(this.masksDescribed) !== key(described)) this.masks = [];
    this.masksDescribed = described;
    this.masksMessage = "";
    let masks = [];
    try {
      masks = await loadMasks(described);
    } catch (error) {
      this.masksMessage = `The truth could not be loaded (${error.message}). Reload the page.`;
    }
    if (this.masksDescribed !== described) return;
    this.masks = masks;
    this.viewer.refresh();
  }

  // ---- what it is called, in words

  get name() {
    const { title, width, height } = this.described;
    return `${title}, ${width} by ${height} pixels`;
  }

  // What its legends explain.
  get meaning() {
    const heat = this.heatDescribed ? `${this.heatDescribed.label} ${this.heatDescribed.signed}` : "";
    return [heat, ...this.described.masks.map((mask) => mask.label)].filter(Boolean).join(", ");
  }

  // Legends name their image where those of two images stand under one canvas.
  showLegends(prefix) {
    this.legend.show(this, this.viewer.view, prefix);
    this.truthLegend.show(this, this.viewer.view, prefix);
  }

  // ---- drawing

  draw() {
    const layers = this.viewer.layersOn(this);
    this.message.textContent = layers.map(({ pane }) => pane.problem).find(Boolean) || "";
    this.canvas.setAttribute("aria-label", this.viewer.canvasName(layers));
    this.fitCanvas();
    const ready = layers.filter(({ pane }) => pane.image);
    if (!this.canvas.width) return;
    const started = performance.now();
    const context = this.canvas.getContext("2d");
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.fillStyle = "#0b0d10";
    context.fillRect(0, 0, this.box.width, this.box.height);
    if (!ready.length) return this.readout.replaceChildren(); // of the image that was here before
    for (const { pane, clip } of ready) {
      context.save();
      if (clip) context.clip(clip);
      pane.paint(context);
      context.restore();
    }
    drawCrop(context, this);
    for (const { pane } of ready) {
      drawRuler(context, pane);
      drawMark(context, pane);
    }
    this.writeReadout();
    this.milliseconds = performance.now() - started;
  }

  // Image, heat and truth onto any canvas whose unit is the CSS pixel.
  paint(context) {
    const { canvas, side } = this.applyWindow();
    const { width, height } = this.image;
    const { a, b, c, d, e, f } = this.placement;
    context.save();
    context.transform(a, b, c, d, e, f);
    context.imageSmoothingEnabled = this.scale < 4;
    context.imageSmoothingQuality = this.viewer.moving ? "low" : "high";
    context.drawImage(canvas, 0, 0, width / side, height / side, 0, 0, width, height);
    context.restore();
    const truth = this.viewer.view.truth && this.masks.length > 0;
    if (this.heat) this.drawHeat(context, truth && this.viewer.view.overlap);
    if (truth) drawTruth(context, this);
  }

  fitCanvas() {
    const { width, height } = this.box;
    this.ratio = screenRatio();
    const [wide, high] = [Math.round(width * this.ratio), Math.round(height * this.ratio)];
    if (this.canvas.width !== wide) this.canvas.width = wide;
    if (this.canvas.height !== high) this.canvas.height = high;
  }

  // The image under the window of now, as finely as the screen shows it: canvas, and pixels a side in one of its own.
  applyWindow() {
    const [low, high] = this.window;
    const { invert } = this.viewer.view;
    if (this.pooling < this.image.side) this.needWhole();
    const pooling = Math.max(this.pooling, this.image.side);
    const wanted = `${low} ${high} ${invert}`;
    const done = wanted === this.windowedAs;
    if (done && (this.windowed.side <= pooling || this.waitsForRest(pooling))) return this.windowed;
    if (!this.windowed || this.windowed.side !== pooling) {
      this.windowed = pooled(this.image, pooling);
      this.windowedAs = "";
    }
    const table = windowTable(this.image, low, high, invert);
    if (this.viewer.moving && this.windowed.levels.length > QUICK_PIXELS) {
      this.quick ||= thinned(this.image, QUICK_PIXELS / 4);
      paintLevels(this.quick.canvas, this.quick.levels, table);
      return this.quick;
    }
    paintLevels(this.windowed.canvas, this.windowed.levels, table);
    this.windowedAs = wanted;
    this.restedAt = 0;
    return this.windowed;
  }

  // Zooming in on an image too large to window in a frame: it gets finer when the zoom rests.
  waitsForRest(side) {
    const { width, height } = this.image;
    if ((width * height) / side ** 2 <= QUICK_PIXELS || this.restedAt === side) return false;
    clearTimeout(this.rest);
    this.rest = setTimeout(() => {
      this.restedAt = side;
      this.viewer.refresh();
    }, 200);
    return true;
  }

  // A power of two, as in the browser's own way of making an image smaller; never coarser than the screen.
  get pooling() {
    return 2 ** Math.max(0, Math.floor(-Math.log2(this.scale * screenRatio())));
  }

  drawHeat(context, insideTruth) {
    const { colours, threshold, opacity } = this.viewer.view;
    const { signed } = this.heatDescribed;
    const wanted = signed ? `signed ${threshold}` : `${colours} ${threshold}`;
    if (wanted !== this.heatAs) {
      const table = signed ? signedTable(threshold) : heatTable(colours, threshold);
      paintLevels(this.heatCanvas, this.heat.levels, table);
      this.heatAs = wanted;
    }
    const { a, b, c, d, e, f } = this.placement;
    const [left, top, right, bottom] = this.heatBox;
    context.save();
    if (insideTruth) context.clip(truthOnScreen(this));
    context.transform(a, b, c, d, e, f);
    context.globalAlpha = opacity;
    context.imageSmoothingEnabled = true;
    context.drawImage(this.heatCanvas, left, top, right - left, bottom - top);
    context.restore();
  }

  writeReadout() {
    const read = this.viewer.paneAt(this, this.pointer);
    if (!read.image) return this.readout.replaceChildren();
    const [low, high] = read.window;
    const { step } = read.described; // by which DICOM's linear window is wider than from black to white
    const told = `C ${number((low + high + step) / 2)}  W ${number(high - low + step)}`;
    const parts = [`${Math.round(read.scale * 100)} %`, told];
    if (this.viewer.single) parts.unshift(read.described.title);
    if (this.viewer.view.ruler && this.viewer.view.ruler.pane === read.index) {
      parts.push(`ruler ${rulerText(read)}`);
    }
    const [x, y] = (this.pointer ? read.toImage(...this.pointer) : [-1, -1]).map(Math.floor);
    const { width, height, levels, side, slope, intercept } = read.image;
    if (x >= 0 && y >= 0 && x < width && y < height) {
      parts.push(`x ${x}  y ${y}`);
      if (side === 1) parts.push(`value ${number(levels[y * width + x] * slope + intercept)}`);
      else read.needWhole();
    }
    this.readout.replaceChildren(...parts.map((text) => Object.assign(element("span"), { textContent: text })));
  }
}
