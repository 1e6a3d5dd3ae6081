// The comparison charts: Vega runs when the first of them comes into view.
const startCharts = () => {};
