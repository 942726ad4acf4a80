// Colour maps and lookup tables. The files of this folder are joined into one module, in the order that
// __init__.py gives; they share one scope.

// Evenly spaced anchors of the maps as matplotlib defines them, interpolated linearly.
const COLOUR_ANCHORS = {
  turbo: "30123b4143a74771e93e9bfe22c5e21ae4b646f88488ff4eb9f635e1dd37faba39fd8d27f05b12d63506af18017a0403",
  magma: "0000040b092420114b3b0f7057157e721f818c2981a8327dc43c75de4968f1605dfa7f5efe9f6dfebf84fddea0fcfdbf",
  viridis: "440154481a6c472f7d41448739568c31688e2a788e23888e1f988b22a88435b77954c5687ad151a5db36d2e21bfde725",
  gray: "000000ffffff",
  // Signed maps, from -1 to 1. Blue against orange-red is told apart with every common kind of colour blindness;
  // bright at both ends, because the ground is dark.
  signed: "1f6bff5ea5ffd9d9d9ff9a5eff3b14",
};

function colourTable(name) {
  const anchors = COLOUR_ANCHORS[name].match(/.{6}/g).map((hex) => parseInt(hex, 16));
  const table = new Uint8Array(256 * 3);
  for (let level = 0; level < 256; level += 1) {
    const position = (level / 255) * (anchors.length - 1);
    const first = Math.min(Math.floor(position), anchors.length - 2);
    const share = position - first;
    for (let channel = 0; channel < 3; channel += 1) {
      const shift = 16 - 8 * channel;
      const from = (anchors[first] >> shift) & 255;
      const to = (anchors[first + 1] >> shift) & 255;
      table[level * 3 + channel] = Math.round(from + (to - from) * share);
    }
  }
  return table;
}

const SIGNED_ZERO = 128; // stored level of the value 0; one level is 1/127
const SIGNED_FADE = 0.25; // |value| from which a signed colour is full; below, it fades out towards 0

const COLOUR_TABLES = Object.fromEntries(
  Object.keys(COLOUR_ANCHORS).map((name) => [name, colourTable(name)]),
);

function colourGradient(name) {
  const table = COLOUR_TABLES[name];
  const stops = Array.from({ length: 33 }, (_, i) => {
    const at = Math.round((i / 32) * 255) * 3;
    return `rgb(${table[at]} ${table[at + 1]} ${table[at + 2]})`;
  });
  return `linear-gradient(to right, ${stops.join(",")})`;
}

const LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

function packColour(red, green, blue, alpha) {
  const bytes = LITTLE_ENDIAN ? [alpha, blue, green, red] : [red, green, blue, alpha];
  return ((bytes[0] << 24) | (bytes[1] << 16) | (bytes[2] << 8) | bytes[3]) >>> 0;
}

// One packed RGBA for every stored level: the whole cost of a window step besides a walk over the pixels.
function windowTable(image, low, high, invert) {
  const grays = Uint32Array.from({ length: 256 }, (_, gray) => packColour(gray, gray, gray, 255));
  const table = new Uint32Array(image.bits === 8 ? 256 : 65536);
  const from = (low - image.intercept) / image.slope;
  const span = Math.max((high - low) / image.slope, 1e-9);
  for (let level = 0; level < table.length; level += 1) {
    const unit = Math.min(Math.max((level - from) / span, 0), 1);
    table[level] = grays[Math.round(255 * (invert ? 1 - unit : unit))];
  }
  return table;
}

// Nothing below the threshold, one opacity above it: a colour always means the same value.
function heatTable(name, threshold) {
  const colours = COLOUR_TABLES[name];
  const table = new Uint32Array(256);
  for (let level = 0; level < 256; level += 1) {
    const alpha = level / 255 >= threshold ? 255 : 0;
    const at = level * 3;
    table[level] = packColour(colours[at], colours[at + 1], colours[at + 2], alpha);
  }
  return table;
}

// Exactly transparent at 0, whatever the threshold.
function signedTable(threshold) {
  const colours = COLOUR_TABLES.signed;
  const table = new Uint32Array(256);
  for (let level = 0; level < 256; level += 1) {
    const value = Math.max((level - SIGNED_ZERO) / 127, -1);
    const strength = Math.abs(value);
    const kept = strength >= threshold ? 1 : 0;
    const alpha = Math.min(strength / SIGNED_FADE, 1) * kept;
    const at = Math.round(((value + 1) / 2) * 255) * 3;
    table[level] = packColour(colours[at], colours[at + 1], colours[at + 2], Math.round(255 * alpha));
  }
  return table;
}

// As it looks on the image: fading into the dark ground around 0.
function signedGradient() {
  const colours = COLOUR_TABLES.signed;
  const stops = Array.from({ length: 41 }, (_, i) => {
    const at = Math.round((i / 40) * 255) * 3;
    const alpha = Math.min(Math.abs(i / 20 - 1) / SIGNED_FADE, 1);
    return `rgb(${colours[at]} ${colours[at + 1]} ${colours[at + 2]} / ${alpha})`;
  });
  return `linear-gradient(to right, ${stops.join(",")})`;
}
