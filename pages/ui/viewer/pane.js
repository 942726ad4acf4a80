// One pane: title, canvas, legend, readout. It draws; tools.js moves things.

const QUICK_PIXELS = 4e6; // windowed between two frames while a drag goes on
const HANDLES = ["nw", "n", "ne", "e", "se", "s", "sw", "w"];

function element(tag, className, parent, attributes = {}) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (parent) parent.append(made);
  return made;
}

class PaneView {
  constructor(viewer, index, parent) {
    this.viewer = viewer;
    this.index = index;
    this.root = element("section", "pane", parent);
    this.title = element("div", "pane-title", this.root);
    this.stage = element("div", "stage", this.root);
    this.canvas = element("canvas", "", this.stage, { tabindex: "0", role: "img" });
    this.message = element("div", "message", this.stage, { role: "status" });
    this.readout = element("div", "readout", this.root);
    this.legend = element("div", "legend", this.root);
    this.legendName = element("span", "legend-name", this.legend);
    const scale = element("span", "legend-scale", this.legend);
    element("span", "", scale).textContent = "0";
    this.legendBar = element("span", "legend-bar", scale);
    this.legendMark = element("span", "legend-mark", this.legendBar);
    element("span", "", scale).textContent = "1";
    this.truthLegend = new TruthLegend(this.root);
    this.masks = [];
    this.pointer = null; // image position under the mouse
    this.milliseconds = 0; // of the last drawing; the tests hold it to a limit
    this.sizes = new ResizeObserver(() => viewer.refresh());
    this.sizes.observe(this.stage);
    attachTools(viewer, this);
  }

  remove() {
    this.sizes.disconnect();
    this.root.remove();
  }

  async show(described) {
    this.described = described;
    this.title.textContent = described.title;
    const size = `${described.width} by ${described.height} pixels`;
    this.canvas.setAttribute("aria-label", `${described.title}, ${size}`);
    await Promise.all([this.showImage(described), this.showHeat(described.heatmap), this.showMasks(described.masks)]);
  }

  async showImage(described) {
    if (this.image && this.imageUrl === described.url) {
      this.image.presets.file = described.window;
      this.viewer.refresh();
      return;
    }
    if (!this.image) this.message.textContent = "Loading image …";
    try {
      const image = await loadImage(described);
      if (this.described.url !== described.url) return;
      if (!this.image || this.image.width !== image.width || this.image.height !== image.height) {
        this.windowed = blankCanvas(image.width, image.height);
      }
      this.quick = null;
      this.image = image;
      this.imageUrl = described.url;
      this.windowedAs = "";
      this.message.textContent = "";
    } catch (error) {
      if (this.described.url !== described.url) return;
      this.message.textContent = `The image could not be loaded (${error.message}). Reload the page.`;
    }
    this.viewer.refresh();
  }

  async showHeat(described) {
    this.heatDescribed = described;
    this.legend.hidden = !described;
    if (!described) {
      this.heat = null;
      this.viewer.refresh();
      return;
    }
    this.legendName.textContent = described.label;
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
      this.legendName.textContent = `Heatmap could not be loaded (${error.message}). Reload the page.`;
    }
    this.viewer.refresh();
  }

  async showMasks(described) {
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

  // ---- geometry: one zoom and one centre, both relative, serve panes of any size

  get box() {
    return { width: this.canvas.clientWidth, height: this.canvas.clientHeight };
  }

  get fit() {
    const { width, height } = this.box;
    return Math.min(width / this.described.width, height / this.described.height) || 1;
  }

  get scale() {
    return this.fit * this.viewer.view.zoom;
  }

  toScreen(x, y) {
    const { width, height } = this.box;
    const { cx, cy } = this.viewer.view;
    const { scale } = this;
    return [
      width / 2 + (x - cx * this.described.width) * scale,
      height / 2 + (y - cy * this.described.height) * scale,
    ];
  }

  toImage(px, py) {
    const { width, height } = this.box;
    const { cx, cy } = this.viewer.view;
    const { scale } = this;
    return [
      (px - width / 2) / scale + cx * this.described.width,
      (py - height / 2) / scale + cy * this.described.height,
    ];
  }

  get window() {
    const { preset, shift, stretch } = this.viewer.view;
    const [low, high] = this.image.presets[preset];
    const centre = (low + high) / 2 + shift * (high - low);
    const half = ((high - low) / 2) * stretch;
    return [centre - half, centre + half];
  }

  // ---- drawing

  draw() {
    this.fitCanvas();
    if (!this.image || !this.canvas.width) return;
    const started = performance.now();
    const windowed = this.applyWindow();
    const context = this.canvas.getContext("2d");
    const ratio = this.ratio;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = "#0b0d10";
    context.fillRect(0, 0, this.box.width, this.box.height);
    const { scale } = this;
    const [left, top] = this.toScreen(0, 0);
    context.imageSmoothingEnabled = scale < 4;
    context.imageSmoothingQuality = this.viewer.moving ? "low" : "high";
    context.drawImage(windowed, left, top, this.image.width * scale, this.image.height * scale);
    const truth = this.viewer.view.truth && this.masks.length > 0;
    if (this.heat) this.drawHeat(context, truth && this.viewer.view.overlap);
    if (truth) drawTruth(context, this);
    this.truthLegend.show(this, this.viewer.view);
    drawCrop(context, this);
    drawRuler(context, this);
    this.writeReadout();
    this.milliseconds = performance.now() - started;
  }

  fitCanvas() {
    const { width, height } = this.box;
    this.ratio = Math.min(window.devicePixelRatio || 1, 2);
    const [wide, high] = [Math.round(width * this.ratio), Math.round(height * this.ratio)];
    if (this.canvas.width !== wide) this.canvas.width = wide;
    if (this.canvas.height !== high) this.canvas.height = high;
  }

  // The canvas that holds the image under the window of now.
  applyWindow() {
    const [low, high] = this.window;
    const wanted = `${low} ${high} ${this.viewer.view.invert}`;
    if (wanted === this.windowedAs) return this.windowed;
    const table = windowTable(this.image, low, high, this.viewer.view.invert);
    if (this.viewer.moving && this.image.levels.length > QUICK_PIXELS) {
      this.quick ||= thinned(this.image, QUICK_PIXELS / 4);
      paintLevels(this.quick.canvas, this.quick.levels, table);
      return this.quick.canvas;
    }
    paintLevels(this.windowed, this.image.levels, table);
    this.windowedAs = wanted;
    return this.windowed;
  }

  drawHeat(context, insideTruth) {
    const { colours, threshold, opacity } = this.viewer.view;
    const wanted = `${colours} ${threshold}`;
    if (wanted !== this.heatAs) {
      paintLevels(this.heatCanvas, this.heat.levels, heatTable(colours, threshold));
      this.heatAs = wanted;
      this.legendBar.style.backgroundImage = colourGradient(colours);
      this.legendMark.style.width = `${threshold * 100}%`;
    }
    const [left, top] = this.toScreen(this.heatBox[0], this.heatBox[1]);
    const [right, bottom] = this.toScreen(this.heatBox[2], this.heatBox[3]);
    context.save();
    if (insideTruth) context.clip(truthOnScreen(this));
    context.globalAlpha = opacity;
    context.imageSmoothingEnabled = true;
    context.drawImage(this.heatCanvas, left, top, right - left, bottom - top);
    context.restore();
  }

  writeReadout() {
    const [low, high] = this.window;
    const parts = [`${Math.round(this.scale * 100)} %`, `C ${number((low + high) / 2)}  W ${number(high - low)}`];
    if (this.viewer.view.ruler && this.viewer.view.ruler.pane === this.index) {
      parts.push(`ruler ${rulerText(this)}`);
    }
    const [x, y] = (this.pointer || [-1, -1]).map(Math.floor);
    const { width, height, levels, slope, intercept } = this.image;
    if (x >= 0 && y >= 0 && x < width && y < height) {
      parts.push(`x ${x}  y ${y}`, `value ${number(levels[y * width + x] * slope + intercept)}`);
    }
    this.readout.replaceChildren(...parts.map((text) => Object.assign(element("span"), { textContent: text })));
  }
}

function number(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-3) return value.toExponential(2);
  return size >= 1000 ? String(Math.round(value)) : String(Number(value.toPrecision(4)));
}
