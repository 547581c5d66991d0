/** Degrees between two lines: a step everybody can count in, and lines neither crowded nor lost. */
const steps = [
  30, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005, 0.0002, 0.0001,
];
const minPixels = 90;

/** Meridians and parallels under everything else: where one is, without any network. */
export function addGraticule(map: L.Map): void {
  const canvas = L.DomUtil.create('canvas', 'graticule', map.getContainer());
  map.getContainer().prepend(canvas);

  const draw = () => {
    const context = canvas.getContext('2d');
    const { x: width, y: height } = map.getSize();
    const scale = window.devicePixelRatio;
    canvas.width = width * scale;
    canvas.height = height * scale;
    if (context === null || width === 0) return;
    context.scale(scale, scale);
    const style = getComputedStyle(canvas);
    context.strokeStyle = style.borderColor;
    context.fillStyle = style.color;
    context.font = style.font;
    const bounds = map.getBounds();
    const degrees = bounds.getEast() - bounds.getWest();
    const step = steps.findLast((each) => (each / degrees) * width >= minPixels) ?? 30;
    const digits = Math.max(0, Math.ceil(-Math.log10(step)));
    context.beginPath();
    for (let i = Math.ceil(bounds.getWest() / step); i * step <= bounds.getEast(); i += 1) {
      const { x } = map.latLngToContainerPoint([bounds.getCenter().lat, i * step]);
      context.moveTo(Math.round(x) + 0.5, 0);
      context.lineTo(Math.round(x) + 0.5, height);
      context.fillText(`${(i * step).toFixed(digits)}°`, x + 4, 13);
    }
    for (let i = Math.ceil(bounds.getSouth() / step); i * step <= bounds.getNorth(); i += 1) {
      const { y } = map.latLngToContainerPoint([i * step, bounds.getCenter().lng]);
      context.moveTo(0, Math.round(y) + 0.5);
      context.lineTo(width, Math.round(y) + 0.5);
      context.fillText(`${(i * step).toFixed(digits)}°`, 4, y - 4);
    }
    context.stroke();
  };
  let frame = 0;
  const request = () => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(draw);
  };
  map.on('move zoomend resize viewreset', request);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', request);
  request();
}
