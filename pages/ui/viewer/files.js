// Fetching and keeping of files; ahead.js fetches what the viewer will ask for.

const KEPT_BYTES = 192e6;
// address -> { bytes: promise, size }, least recently used first; one for all components of the page
const FILES = (globalThis.cxrFiles ||= new Map());

function fetchBytes(url) {
  const file = FILES.get(url) || { bytes: downloadBytes(url), size: 0 };
  FILES.delete(url);
  FILES.set(url, file);
  return file.bytes;
}

async function downloadBytes(url) {
  try {
    // Asked for as a range, because Streamlit compresses whole files with gzip: half a second for a radiograph.
    const answer = await fetch(url, { credentials: "same-origin", headers: { Range: "bytes=0-" } });
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    const buffer = await answer.arrayBuffer();
    if (FILES.has(url)) FILES.get(url).size = buffer.byteLength;
    dropOldest();
    return buffer;
  } catch (error) {
    FILES.delete(url);
    throw error;
  }
}

function dropOldest() {
  let total = [...FILES.values()].reduce((sum, file) => sum + file.size, 0);
  for (const [url, file] of FILES) {
    if (total <= KEPT_BYTES || FILES.size === 1) return;
    FILES.delete(url);
    total -= file.size;
  }
}
