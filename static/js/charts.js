/* The charts of the dashboard, the monitor and a product. Each reads its numbers from the table beside it and its colours from the theme. */
"use strict";
(() => {
  const LONGEST_BARS = 8;
  const PAGES = new Set(["dashboard", "monitor-overview"]);
  const drawn = new Map();
  const lang = document.documentElement.lang;

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--chart-${name}`).trim();

  /* ``last``: how many of the last rows are drawn, all of them when it is not given. */
  function readTable(id, last = 0) {
    const table = document.getElementById(id);
    const heads = [...table.tHead.rows[0].cells].map((cell) => cell.textContent.trim());
    const body = [...table.tBodies[0].rows].slice(-last);
    const rows = body.map((row) => [...row.cells].map((cell) => cell.dataset.value));
    const shown = body.map((row) => [...row.cells].map((cell) => cell.textContent.trim()));
    const links = body.map((row) => row.querySelector("a")?.href);
    const { rest, currency } = table.dataset;
    return { heads, rows, shown, links, rest, currency, column: (place) => rows.map((row) => Number(row[place])) };
  }

  const compact = new Intl.NumberFormat(lang, { notation: "compact", maximumFractionDigits: 1 });

  /* Thousands are shortened; small amounts keep their cents, where they have any. */
  function moneyFormat(currency) {
    if (!currency) return (value) => compact.format(value);
    const style = { style: "currency", currency };
    const large = new Intl.NumberFormat(lang, { ...style, notation: "compact", minimumFractionDigits: 0, maximumFractionDigits: 1 });
    const small = new Intl.NumberFormat(lang, { ...style, trailingZeroDisplay: "stripIfInteger" });
    return (value) => (Math.abs(value) < 100 ? small : large).format(value);
  }

  function frame(data) {
    return {
      responsive: true,
      maintainAspectRatio: false,
      animation: false,
      interaction: { mode: "index", intersect: false },
      plugins: {
        legend: {
          align: "end",
          labels: {
            color: colour("text"),
            boxWidth: 10,
            boxHeight: 10,
            useBorderRadius: true,
            borderRadius: 3,
            padding: 16,
            generateLabels: (chart) =>
              Chart.defaults.plugins.legend.labels.generateLabels(chart).map((label) => {
                const { borderColor, backgroundColor } = chart.data.datasets[label.datasetIndex];
                const fillStyle = borderColor ?? backgroundColor;
                return { ...label, fillStyle, strokeStyle: fillStyle, lineDash: [], lineWidth: 0 };
              }),
          },
        },
        tooltip: {
          backgroundColor: colour("tip"),
          titleColor: colour("tip-text"),
          bodyColor: colour("tip-text"),
          padding: 10,
          cornerRadius: 8,
          boxPadding: 4,
          usePointStyle: true,
          callbacks: {
            labelColor: ({ dataset, dataIndex }) => {
              const fills = [dataset.backgroundColor].flat();
              const shown = dataset.borderColor ?? fills[dataIndex] ?? fills[0];
              return { backgroundColor: shown, borderColor: shown };
            },
            title: (items) => data.shown[items[0].dataIndex][0],
            label: (item) => ` ${item.dataset.label}: ${data.shown[item.dataIndex][item.dataset.place]}`,
          },
        },
      },
    };
  }

  const axis = (more = {}) => ({
    border: { display: false },
    grid: { color: colour("grid"), drawTicks: false },
    ticks: { color: colour("muted"), padding: 8, maxRotation: 0, ...more.ticks },
    ...more.scale,
  });

  /* A click on a day or a bar leads where its row in the table leads. */
  const follow = (links) => ({
    onClick: (event, [element]) => element && links[element.index] && location.assign(links[element.index]),
    onHover: (event, [element]) => {
      event.native.target.style.cursor = element && links[element.index] ? "pointer" : "";
    },
  });

  /* A colour that fades towards the lower edge of the chart; the part behind the comma is its strength in 255ths. */
  const fade = (name) => ({ chart: { ctx, chartArea } }) => {
    if (!chartArea) return "transparent";
    const gradient = ctx.createLinearGradient(0, chartArea.top, 0, chartArea.bottom);
    gradient.addColorStop(0, `${colour(name)}3d`);
    gradient.addColorStop(1, `${colour(name)}00`);
    return gradient;
  };

  /* The last day is today: it is not over, so the line to it is a broken one, and ends in a dot. */
  function salesChart(canvas, data) {
    const today = data.rows.length - 1;
    const money = moneyFormat(data.currency);
    const line = (place, name, more = {}) => ({
      type: "line",
      place,
      label: data.heads[place],
      data: data.column(place),
      borderColor: colour(name),
      backgroundColor: colour(name),
      pointBackgroundColor: colour(name),
      borderWidth: 2,
      cubicInterpolationMode: "monotone",
      segment: { borderDash: ({ p1DataIndex }) => (p1DataIndex === today ? [4, 4] : undefined) },
      pointRadius: ({ dataIndex }) => (dataIndex === today ? 3 : 0),
      pointHoverRadius: 5,
      yAxisID: "money",
      ...more,
    });
    return {
      data: {
        labels: data.rows.map((row) => row[0]),
        datasets: [
          line(1, "one", { fill: "origin", backgroundColor: fade("one") }),
          line(2, "two"),
          {
            type: "bar",
            place: 3,
            label: data.heads[3],
            data: data.column(3),
            backgroundColor: colour("soft"),
            hoverBackgroundColor: colour("soft"),
            borderRadius: 3,
            maxBarThickness: 14,
            yAxisID: "units",
          },
        ],
      },
      options: {
        ...frame(data),
        ...follow(data.links),
        scales: {
          x: axis({ ticks: { maxTicksLimit: 7, autoSkip: true }, scale: { grid: { display: false } } }),
          money: axis({
            ticks: { callback: (value) => money(value), maxTicksLimit: 5 },
            scale: { beginAtZero: true, position: "left" },
          }),
          units: axis({
            ticks: { callback: (value) => compact.format(value), maxTicksLimit: 5, precision: 0 },
            scale: { beginAtZero: true, position: "right", grid: { display: false }, grace: "120%" },
          }),
        },
      },
    };
  }

  /* The tail of many small groups as one bar, so that the bars are the whole. */
  function sumUp(items, data) {
    if (!items.length) return [];
    const whole = new Intl.NumberFormat(lang, { maximumFractionDigits: 0 });
    const sums = [1, 2, 3].map((place) => items.reduce((sum, item) => sum + Number(item.row[place]), 0));
    const name = `${data.rest} (${items.length})`;
    return [{ row: [name, ...sums], shown: [name, ...sums.map((sum) => whole.format(sum))], isRest: true }];
  }

  const font = () => `${Chart.defaults.font.size}px ${Chart.defaults.font.family}`;

  function measureWidest(canvas, texts) {
    const ctx = canvas.getContext("2d");
    ctx.font = font();
    return Math.max(...texts.map((text) => ctx.measureText(text).width));
  }

  /* Each bar's amount at its end, so that nobody has to measure it. */
  const amounts = (texts) => ({
    id: "amounts",
    afterDatasetsDraw(chart) {
      const { ctx } = chart;
      ctx.save();
      ctx.font = font();
      ctx.fillStyle = colour("text");
      ctx.textBaseline = "middle";
      chart.getDatasetMeta(0).data.forEach((bar, place) => {
        ctx.fillText(texts[place], Math.max(bar.x, bar.base) + 6, bar.y);
      });
      ctx.restore();
    },
  });

  function barsChart(canvas, data) {
    const sorted = data.rows
      .map((row, place) => ({ row, shown: data.shown[place], link: data.links[place] }))
      .sort((one, other) => Number(other.row[1]) - Number(one.row[1]));
    const rows = [...sorted.slice(0, LONGEST_BARS), ...sumUp(sorted.slice(LONGEST_BARS), data)];
    const colours = rows.map((item) => colour(item.isRest ? "rest" : "one"));
    const texts = rows.map((item) => item.row[1]).map(moneyFormat(data.currency));
    const top = { shown: rows.map((item) => item.shown) };
    const options = frame(top);
    options.plugins.legend = { display: false };
    options.plugins.tooltip.callbacks.afterLabel = (item) =>
      [2, 3].map((place) => ` ${data.heads[place]}: ${top.shown[item.dataIndex][place]}`);
    return {
      type: "bar",
      data: {
        labels: rows.map((item) => item.row[0]),
        datasets: [
          {
            place: 1,
            label: data.heads[1],
            data: rows.map((item) => Number(item.row[1])),
            backgroundColor: colours,
            hoverBackgroundColor: colours,
            borderRadius: 4,
            maxBarThickness: 16,
          },
        ],
      },
      plugins: [amounts(texts)],
      options: {
        ...options,
        ...follow(rows.map((item) => item.link)),
        indexAxis: "y",
        layout: { padding: { right: measureWidest(canvas, texts) + 8 } },
        scales: {
          x: { display: false, beginAtZero: true, bounds: "data" },
          y: axis({ ticks: { autoSkip: false, color: colour("text") }, scale: { grid: { display: false } } }),
        },
      },
    };
  }

  function throughputChart(canvas, data) {
    const bars = (place, name) => ({
      place,
      label: data.heads[place],
      data: data.column(place),
      backgroundColor: colour(name),
      hoverBackgroundColor: colour(name),
      borderRadius: 2,
      maxBarThickness: 12,
    });
    return {
      type: "bar",
      data: { labels: data.rows.map((row) => row[0]), datasets: [bars(1, "one"), bars(2, "bad"), bars(3, "soft")] },
      options: {
        ...frame(data),
        scales: {
          x: axis({ ticks: { maxTicksLimit: 7, autoSkip: true }, scale: { stacked: true, grid: { display: false } } }),
          y: axis({
            ticks: { callback: (value) => compact.format(value), maxTicksLimit: 5, precision: 0 },
            scale: { stacked: true, beginAtZero: true, suggestedMax: 4 },
          }),
        },
      },
    };
  }

  /* What was there holds until something moves, so the stock goes in steps; what was sold stands below it. */
  function stockChart(canvas, data) {
    const sold = data.column(2);
    return {
      data: {
        labels: data.rows.map((row) => row[0]),
        datasets: [
          {
            type: "line",
            place: 1,
            label: data.heads[1],
            data: data.column(1),
            borderColor: colour("one"),
            backgroundColor: colour("one"),
            borderWidth: 2,
            stepped: "middle",
            pointRadius: 0,
            pointHoverRadius: 4,
            yAxisID: "stock",
          },
          {
            type: "bar",
            place: 2,
            label: data.heads[2],
            data: sold,
            backgroundColor: colour("soft"),
            hoverBackgroundColor: colour("soft"),
            borderRadius: 2,
            maxBarThickness: 10,
            yAxisID: "sold",
          },
        ],
      },
      options: {
        ...frame(data),
        scales: {
          x: axis({ ticks: { maxTicksLimit: 7, autoSkip: true }, scale: { grid: { display: false } } }),
          stock: axis({
            ticks: { callback: (value) => compact.format(value), maxTicksLimit: 5, precision: 0 },
            scale: { beginAtZero: true, suggestedMax: 4, position: "left" },
          }),
          sold: axis({
            ticks: { callback: (value) => compact.format(value), maxTicksLimit: 5, precision: 0 },
            scale: { beginAtZero: true, suggestedMax: 4, position: "right", grid: { display: false }, grace: "120%", display: sold.some(Boolean) },
          }),
        },
      },
    };
  }

  const KINDS = { sales: salesChart, bars: barsChart, throughput: throughputChart, stock: stockChart };

  function draw() {
    for (const [canvas, chart] of drawn) {
      chart.destroy();
      drawn.delete(canvas);
    }
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    Chart.defaults.font.size = 12;
    for (const canvas of document.querySelectorAll("canvas[data-chart]")) {
      const data = readTable(canvas.dataset.table, Number(canvas.dataset.last));
      drawn.set(canvas, new Chart(canvas, KINDS[canvas.dataset.chart](canvas, data)));
    }
  }

  document.fonts.ready.then(draw); // a canvas does not redraw itself when its font arrives
  document.addEventListener("theme-changed", draw);
  document.addEventListener("chart-changed", draw);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => setTimeout(draw));
  document.body.addEventListener("htmx:afterSwap", (event) => PAGES.has(event.detail.target?.id) && draw());
})();
