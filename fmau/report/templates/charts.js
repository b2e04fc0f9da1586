// Draws the embedded figures in the colours of the page, and again when the page turns dark or light.
"use strict";
(() => {
  const charts = JSON.parse(document.getElementById("charts").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const narrow = matchMedia("(max-width: 720px)");
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

  function themedTrace(trace, place) {
    const series = [colour("accent"), ...Array.from({ length: 9 }, (_, i) => colour(`series-${i + 1}`))];
    const own = series[place % series.length];
    if (trace.meta === "heatmap") {
      return { ...trace, colorscale: [[0, colour("card")], [1, colour("accent")]], textfont: { size: narrow.matches ? 10 : 12 } };
    }
    if (trace.meta === "baseline") {
      const line = { ...trace.marker.line, color: colour("ink") };
      return { ...trace, marker: { ...trace.marker, color: colour("card"), line } };
    }
    if (trace.meta === "ideal") return { ...trace, line: { ...trace.line, color: colour("quiet") } };
    if (trace.meta === "line") return { ...trace, line: { color: own, width: 2 }, marker: { color: own, size: 8 } };
    const errors = {};
    for (const name of ["error_x", "error_y"]) if (trace[name]) errors[name] = { ...trace[name], color: own };
    return { ...trace, marker: { color: own, opacity: 0.4 }, ...errors };
  }

  function themedLayout(layout) {
    const axis = { gridcolor: colour("line"), zerolinecolor: colour("line"), linecolor: colour("line"), automargin: true };
    return {
      ...layout,
      modebar: { bgcolor: "rgba(0,0,0,0)", color: colour("quiet"), activecolor: colour("accent") },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: getComputedStyle(document.body).fontFamily, size: narrow.matches ? 11 : 13, color: colour("ink") },
      xaxis: { ...axis, ...layout.xaxis },
      yaxis: { ...axis, ...layout.yaxis },
    };
  }

  // The one button of a chart saves it, as a drawing that can be enlarged.
  const config = (name) => ({
    responsive: true,
    displaylogo: false,
    modeBarButtons: [["toImage"]],
    toImageButtonOptions: { format: "svg", filename: `fmau-${name}` },
  });

  function draw(element) {
    if (element.closest("details:not([open])")) return; // has no size until it is unfolded
    const figure = charts[element.dataset.chart];
    const traces = figure.data.map(themedTrace);
    Plotly.react(element, traces, themedLayout(figure.layout), config(element.dataset.chart));
  }

  // A chart is drawn when it comes near the window: many of them would make the page slow to open.
  const elements = [...document.querySelectorAll("[data-chart]")];
  const drawn = new Set();
  const watcher = new IntersectionObserver((seen) => {
    for (const { isIntersecting, target } of seen) {
      if (!isIntersecting || drawn.has(target)) continue;
      drawn.add(target);
      draw(target);
    }
  }, { rootMargin: "400px" });
  for (const element of elements) {
    // Its room is kept free, so that the page does not jump when it is drawn.
    element.style.minHeight = `${charts[element.dataset.chart].layout.height}px`;
    watcher.observe(element);
  }

  const again = () => drawn.forEach(draw);
  dark.addEventListener("change", again);
  narrow.addEventListener("change", again);
  for (const fold of document.querySelectorAll("details:has([data-chart])")) fold.addEventListener("toggle", again);
  addEventListener("beforeprint", () => {
    for (const fold of document.querySelectorAll("section > details")) fold.open = true;
    elements.forEach(draw);
  });
})();
