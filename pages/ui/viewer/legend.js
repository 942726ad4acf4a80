// What the heatmap's colours mean, below the image.

class HeatLegend {
  constructor(parent) {
    this.root = element("div", "legend", parent);
    this.name = element("span", "legend-name", this.root);
    const scale = element("span", "legend-scale", this.root);
    this.low = element("span", "", scale);
    const bar = element("span", "legend-bar", scale);
    this.mark = element("span", "legend-mark", bar);
    this.bar = bar;
    this.high = element("span", "", scale);
  }

  show({ heatDescribed, heatMessage }, { colours, threshold }, prefix) {
    this.root.hidden = !heatDescribed;
    if (this.root.hidden) return;
    const { label, signed } = heatDescribed;
    const wanted = `${label} ${signed} ${heatMessage} ${colours} ${threshold} ${prefix}`;
    if (wanted === this.shown) return;
    this.shown = wanted;
    this.name.textContent = heatMessage || prefix + label;
    this.root.classList.toggle("signed", signed);
    this.low.textContent = signed ? "Blue: stronger at baseline, −1" : "0";
    this.high.textContent = signed ? "+1, red: stronger at follow-up" : "1";
    this.bar.style.backgroundImage = signed ? signedGradient() : colourGradient(colours);
    // What lies below the threshold is covered: from the left, or around the zero in the middle.
    this.mark.style.marginLeft = signed ? `${50 - threshold * 50}%` : "0";
    this.mark.style.width = `${threshold * 100}%`;
  }
}
