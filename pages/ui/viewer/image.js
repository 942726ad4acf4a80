// What becomes of an image's pixels, and their colouring.

function levelsOf(buffer, bits) {
  if (bits === 8) return new Uint8Array(buffer);
  if (LITTLE_ENDIAN) return new Uint16Array(buffer);
  const view = new DataView(buffer);
  return Uint16Array.from({ length: buffer.byteLength / 2 }, (_, i) => view.getUint16(2 * i, true));
}

// An image whole, or, from its preview, in means of squares of `side` pixels.
async function loadImage(described, { url, side }) {
  const { width, height, bits, slope, intercept, window: file } = described;
  const levels = levelsOf(await fetchBytes(url), bits);
  if (levels.length !== Math.ceil(width / side) * Math.ceil(height / side)) throw new Error("the image is incomplete");
  const image = { levels, side, width, height, bits, slope, intercept };
  const value = (level) => level * slope + intercept;
  const pair = (low, high) => [value(low), Math.max(value(high), value(low) + slope)];
  let spread = null; // counted when a preset first asks, because most never do
  const at = (share) => {
    spread ||= percentiles(levels, bits, [0, 0.01, 0.03, 0.6, 0.99, 1]);
    return spread[share];
  };
  image.presets = {
    file,
    get robust() {
      return pair(at(1), at(4));
    },
    get full() {
      return pair(at(0), at(5));
    },
    get narrow() {
      return pair(at(2), at(3));
    },
  };
  return image;
}

function percentiles(levels, bits, shares) {
  const counts = new Uint32Array(bits === 8 ? 256 : 65536);
  for (let i = 0; i < levels.length; i += 1) counts[levels[i]] += 1;
  let level = 0;
  let below = counts[0];
  return shares.map((share) => {
    const wanted = Math.max(share * levels.length, 1);
    while (below < wanted && level < counts.length - 1) {
      level += 1;
      below += counts[level];
    }
    return level;
  });
}

function blankCanvas(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return canvas;
}

// A function of its own for one row: called so often, it is compiled early, and stays so. The same loop over a whole
// image takes ten times as long when it is run for the second time.
function paintRow(colours, to, levels, from, count, table) {
  for (let i = 0; i < count; i += 1) colours[to + i] = table[levels[from + i]];
}

// In strips, so that a large image does not need its size again in scratch memory.
function paintLevels(canvas, levels, table) {
  const { width, height } = canvas;
  const context = canvas.getContext("2d");
  const rows = Math.max(1, Math.min(height, Math.floor(1e6 / width)));
  const strip = context.createImageData(width, rows);
  const colours = new Uint32Array(strip.data.buffer);
  for (let top = 0; top < height; top += rows) {
    const start = top * width;
    const count = Math.min(rows, height - top) * width;
    for (let row = 0; row < count; row += width) paintRow(colours, row, levels, start + row, width, table);
    context.putImageData(strip, 0, top);
  }
}

// The means of squares of 2, 4, 8 ... pixels a side: all that is seen of an image shown so much smaller, and the less
// to window. At 1 the image itself; never finer than what is there.
function pooled(image, side) {
  let { levels, side: reached } = image;
  let width = Math.ceil(image.width / reached);
  let height = Math.ceil(image.height / reached);
  for (; reached < side; reached *= 2) {
    levels = halved(levels, width, height);
    width = Math.ceil(width / 2);
    height = Math.ceil(height / 2);
  }
  return { side: reached, levels, canvas: blankCanvas(width, height) };
}

// An odd last row or column counts twice.
function halved(levels, width, height) {
  const means = new levels.constructor(Math.ceil(width / 2) * Math.ceil(height / 2));
  for (let y = 0; y < height; y += 2) {
    const lower = Math.min(y + 1, height - 1) * width;
    halveRows(means, (y / 2) * Math.ceil(width / 2), levels, y * width, lower, width);
  }
  return means;
}

function halveRows(means, to, levels, upper, lower, width) {
  for (let x = 0; x < width; x += 2) {
    const right = x + 1 < width ? x + 1 : x;
    const sum = levels[upper + x] + levels[upper + right] + levels[lower + x] + levels[lower + right];
    means[to + x / 2] = (sum + 2) >> 2;
  }
}

// Every n-th pixel of every n-th row: enough to follow a drag on an image too large to window in a frame.
function thinned(image, most) {
  const step = Math.ceil(Math.sqrt(image.levels.length / most));
  const [across, down] = [image.width, image.height].map((pixels) => Math.ceil(pixels / image.side));
  const width = Math.ceil(across / step);
  const height = Math.ceil(down / step);
  const levels = new image.levels.constructor(width * height);
  const half = step >> 1; // the middle of what it stands for, or the anatomy would jump
  let out = 0;
  for (let y = 0; y < down; y += step) {
    for (let x = 0; x < across; x += step) {
      levels[out] = image.levels[Math.min(y + half, down - 1) * across + Math.min(x + half, across - 1)];
      out += 1;
    }
  }
  return { side: step * image.side, levels, canvas: blankCanvas(width, height) };
}

// Values are interpolated before they are coloured: mixing colours would show values that are not there.
function enlargeHeat(bytes, width, height) {
  const factor = Math.max(1, Math.min(16, Math.floor(512 / Math.max(width, height))));
  if (factor === 1) return { levels: bytes, width, height };
  const across = interpolation(width, width * factor);
  const down = interpolation(height, height * factor);
  const levels = new Uint8Array(width * factor * height * factor);
  let out = 0;
  for (let y = 0; y < height * factor; y += 1) {
    const [top, bottom, v] = [down.before[y] * width, down.after[y] * width, down.share[y]];
    for (let x = 0; x < width * factor; x += 1) {
      const left = across.before[x];
      const right = across.after[x];
      const u = across.share[x];
      const upper = bytes[top + left] * (1 - u) + bytes[top + right] * u;
      const lower = bytes[bottom + left] * (1 - u) + bytes[bottom + right] * u;
      levels[out] = Math.round(upper * (1 - v) + lower * v);
      out += 1;
    }
  }
  return { levels, width: width * factor, height: height * factor };
}

// For each of `to` places the two of `from` that it lies between, and how far it is from the first of them.
function interpolation(from, to) {
  const before = new Uint32Array(to);
  const after = new Uint32Array(to);
  const share = new Float64Array(to);
  for (let i = 0; i < to; i += 1) {
    const position = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1);
    before[i] = Math.floor(position);
    after[i] = Math.min(before[i] + 1, from - 1);
    share[i] = position - before[i];
  }
  return { before, after, share };
}

async function loadHeat(described) {
  const bytes = new Uint8Array(await fetchBytes(described.url));
  if (bytes.length !== described.width * described.height) throw new Error("the heatmap is incomplete");
  return enlargeHeat(bytes, described.width, described.height);
}
