// Where an image lies on a canvas. Matrices lead from image pixels, where pixel (0, 0) reaches from 0 to 1, to CSS
// pixels of the canvas.

function through(matrix, x, y) {
  const point = matrix.transformPoint({ x, y });
  return [point.x, point.y];
}

const enlargement = (matrix) => Math.sqrt(Math.abs(matrix.a * matrix.d - matrix.b * matrix.c));

// From the first image's pixels to the second's where no registration is used: the second, with its own aspect, as
// large as the first's rectangle allows and in its middle.
function fittedInto(first, second) {
  const scale = Math.max(second.width / first.width, second.height / first.height);
  const x = second.width / 2 - (scale * first.width) / 2;
  const y = second.height / 2 - (scale * first.height) / 2;
  return new DOMMatrix([scale, 0, 0, scale, x, y]);
}

// Size of the rectangle around the first image's centre that shows both whole, in the first's pixels. A registration
// that is far off must not make the images tiny, so at most twice the first image.
function commonExtent(first, second, link) {
  const back = link.inverse();
  let [wide, high] = [first.width, first.height];
  for (const x of [0, second.width]) {
    for (const y of [0, second.height]) {
      const [atX, atY] = through(back, x, y);
      wide = Math.max(wide, 2 * Math.abs(atX - first.width / 2));
      high = Math.max(high, 2 * Math.abs(atY - first.height / 2));
    }
  }
  return [Math.min(wide, 2 * first.width), Math.min(high, 2 * first.height)];
}

// One zoom and one centre serve images of any size. Both are relative to the image, or, where images are compared
// through a matrix (viewer.link), to the first image.
class Placed {
  constructor(viewer, index) {
    this.viewer = viewer;
    this.index = index;
  }

  // In swipe and blink both images lie on the first pane's canvas.
  get box() {
    const { canvas } = this.viewer.single ? this.viewer.panes[0] : this;
    return { width: canvas.clientWidth, height: canvas.clientHeight };
  }

  // From the first image's pixels to these; null where this image is placed by its own size.
  get follows() {
    return this.index === 1 ? this.viewer.link : null;
  }

  // CSS pixels a pixel at zoom 1; of the first image's pixels where this one follows it.
  get fit() {
    const { width, height } = this.box;
    const { link, panes } = this.viewer;
    const [wide, high] = link
      ? commonExtent(panes[0].described, panes[1].described, link)
      : [this.described.width, this.described.height];
    return Math.min(width / wide, height / high) || 1;
  }

  get scale() {
    const scale = this.fit * this.viewer.view.zoom;
    return this.follows ? scale / enlargement(this.follows) : scale;
  }

  // The image's point in the middle of the canvas.
  get centre() {
    const { cx, cy } = this.viewer.view;
    const { width, height } = this.follows ? this.viewer.panes[0].described : this.described;
    const middle = [cx * width, cy * height];
    return this.follows ? through(this.follows, ...middle) : middle;
  }

  // Side by side an image that follows is moved and resized, not turned: it stays the radiograph as it was taken.
  get placement() {
    if (this.follows && this.viewer.single) {
      return this.viewer.panes[0].placement.multiply(this.follows.inverse());
    }
    const { width, height } = this.box;
    const { scale } = this;
    const [x, y] = this.centre;
    return new DOMMatrix([scale, 0, 0, scale, width / 2 - x * scale, height / 2 - y * scale]);
  }

  toScreen(x, y) {
    return through(this.placement, x, y);
  }

  toImage(px, py) {
    return through(this.placement.inverse(), px, py);
  }

  // What view.cx and view.cy have to be for this point of the image to be in the middle.
  toShare(x, y) {
    const { width, height } = this.follows ? this.viewer.panes[0].described : this.described;
    const [atX, atY] = this.follows ? through(this.follows.inverse(), x, y) : [x, y];
    return [atX / width, atY / height];
  }

  // Every setting is relative to the width of the image's own preset, so one setting serves images whose pixel
  // values have nothing in common. An own shift and stretch come on top of the common ones.
  get window() {
    const { preset, shift, stretch } = this.viewer.view;
    const own = this.viewer.ownWindow(this);
    const [low, high] = this.image.presets[preset];
    const centre = (low + high) / 2 + (shift + own.shift) * (high - low);
    const half = ((high - low) / 2) * stretch * own.stretch;
    return [centre - half, centre + half];
  }
}

function number(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-3) return value.toExponential(2);
  return size >= 1000 ? String(Math.round(value)) : String(Number(value.toPrecision(4)));
}
