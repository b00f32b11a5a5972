import { BarChart, CustomChart, HeatmapChart, LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent, LegendScrollComponent, TooltipComponent, VisualMapContinuousComponent } from 'echarts/components';
import * as echarts from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import { h, say, uniqueId } from './dom';
import { clip, short } from './format';
import { cssColour, isDark, themeChanged } from './theme';

echarts.use([LineChart, ScatterChart, BarChart, CustomChart, HeatmapChart, GridComponent, TooltipComponent, LegendScrollComponent,
  VisualMapContinuousComponent, CanvasRenderer]);

export type Option = Record<string, unknown>;

const all = new Set<Chart>();
themeChanged.addEventListener('theme', () => all.forEach(chart => chart.draw()));

/** A picture with a caption and, for those who do not see it, a sentence that says what it shows. */
export class Chart {
  readonly element: HTMLElement;
  private readonly room: HTMLElement;
  private readonly summary: HTMLElement;
  private readonly chart: echarts.ECharts;
  private readonly resizing: ResizeObserver;
  private make: (() => Option) | undefined;
  private selected: Record<string, boolean> = {};
  private isPointedAt = false;
  private isStale = false;

  constructor(caption: string, className = '') {
    const id = uniqueId('picture');
    this.room = h('div', { class: `picture ${className}`, 'aria-hidden': true });
    this.summary = h('p', { class: 'unseen', id });
    this.element = h('figure', { 'aria-describedby': id, 'data-chart': caption },
      h('figcaption', {}, caption), this.room, this.summary);
    this.chart = echarts.init(this.room, null, { renderer: 'canvas' });
    this.resizing = new ResizeObserver(() => this.chart.resize());
    this.resizing.observe(this.room);
    this.chart.on('legendselectchanged', event => { this.selected = (event as { selected: Record<string, boolean> }).selected; });
    // What somebody points at stands still: what is told of a place would be gone with every version.
    this.room.addEventListener('pointerenter', event => { this.isPointedAt = event.pointerType === 'mouse'; });
    this.room.addEventListener('pointerleave', () => {
      this.isPointedAt = false;
      if (this.isStale) this.draw();
    });
    all.add(this);
  }

  /** Draws what a function says, now and whenever colours change. */
  show(summary: string, make: () => Option): void {
    say(this.summary, summary);
    this.make = make;
    if (this.isPointedAt) this.isStale = true;
    else this.draw();
  }

  draw(): void {
    if (this.make === undefined) return;
    this.isStale = false;
    const option: Option = { animation: false, textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: cssColour('ink') }, ...this.make() };
    if (option['legend'] !== undefined) option['legend'] = { ...option['legend'] as Option, selected: this.selected };
    this.chart.setOption(option as echarts.EChartsCoreOption, { notMerge: true, lazyUpdate: true });
  }

  tall(rows: number): void {
    this.room.style.height = `${Math.min(720, Math.max(180, 70 + 22 * rows))}px`;
  }

  dispose(): void {
    all.delete(this);
    this.resizing.disconnect();
    this.chart.dispose();
  }
}

/** What is said where the pointer is: drawn, not HTML. */
export function tooltip(more: Option = {}): Option {
  return {
    renderMode: 'richText', confine: true, backgroundColor: cssColour('panel'), borderColor: cssColour('line'),
    textStyle: { color: cssColour('ink'), fontSize: 12 }, ...more,
  };
}

export function valueAxis(name: string, more: Option = {}): Option {
  return {
    type: 'value', name, nameLocation: 'middle', nameGap: 30, nameTextStyle: { color: cssColour('muted') },
    axisLabel: { color: cssColour('muted'), hideOverlap: true, formatter: (value: number) => axisNumber(value) },
    axisLine: { lineStyle: { color: cssColour('line') } },
    splitLine: { lineStyle: { color: cssColour('line') } }, ...more,
  };
}

export function nameAxis(names: string[], more: Option = {}, most = 18): Option {
  return {
    type: 'category', data: names.map(name => clip(name, most)), axisTick: { show: false },
    axisLabel: { color: cssColour('muted'), hideOverlap: true },
    axisLine: { lineStyle: { color: cssColour('line') } }, splitArea: { show: false }, ...more,
  };
}

export function legend(more: Option = {}): Option {
  return {
    type: 'scroll', top: 0, textStyle: { color: cssColour('ink') }, pageTextStyle: { color: cssColour('muted') },
    pageIconColor: cssColour('accent'), pageIconInactiveColor: cssColour('line'), itemHeight: 10, itemWidth: 18, ...more,
  };
}

function axisNumber(value: number): string {
  const size = Math.abs(value);
  return size >= 1e9 ? short(value, 3) : size >= 1e6 ? `${short(value / 1e6, 4)}M` : size >= 1e4 ? `${short(value / 1e3, 4)}k` : short(value, 4);
}

export interface Series {
  name: string;
  colour: string;
  points: [number, number][];
  dashed?: boolean;
}

const overRecords = 'records learned from';

/** Lines over the records learned from. */
export function lines(series: Series[], y: string, isLog = false): Option {
  return {
    grid: { left: 58, right: 16, top: series.length > 1 ? 34 : 14, bottom: 44 },
    legend: series.length > 1 ? legend({ data: series.map(one => one.name) }) : undefined,
    tooltip: tooltip({ trigger: 'axis', valueFormatter: (value: unknown) => short(Number(value), 5) }),
    xAxis: valueAxis(overRecords, { min: 'dataMin', max: 'dataMax', nameGap: 26 }),
    yAxis: valueAxis(y, { type: isLog ? 'log' : 'value', scale: true, nameGap: 42 }),
    series: series.map(one => ({
      type: 'line', name: one.name, data: one.points, showSymbol: one.points.length < 3, symbolSize: 5,
      lineStyle: { width: 1.8, type: one.dashed ? 'dashed' : 'solid' }, itemStyle: { color: one.colour }, emphasis: { disabled: true },
    })),
  };
}

/** Shares that sum to 1 over the records learned from, one upon the other: all have the same places. */
export function shares(series: Series[], y: string): Option {
  const tops = series.map(() => [] as [number, number][]);
  for (let at = 0; at < (series[0]?.points.length ?? 0); at++) {
    let sum = 0;
    series.forEach((one, k) => tops[k]!.push([one.points[at]![0], sum += one.points[at]![1]]));
  }
  return {
    grid: { left: 58, right: 16, top: 34, bottom: 44 },
    legend: legend({ data: series.map(one => one.name), selectedMode: false }),
    tooltip: tooltip({
      trigger: 'axis',
      formatter: (items: { dataIndex: number }[]) => series.map(one =>
        `${one.name}: ${short(100 * (one.points[items[0]?.dataIndex ?? 0]?.[1] ?? 0), 3)} %`).join('\n'),
    }),
    xAxis: valueAxis(overRecords, { min: 'dataMin', max: 'dataMax', nameGap: 26 }),
    yAxis: valueAxis(y, { min: 0, max: 1, nameGap: 42 }),
    // The highest first, each covering what is below its top.
    series: series.map((one, k) => ({
      type: 'line', name: one.name, data: tops[k]!, showSymbol: false, lineStyle: { width: 1, color: cssColour('panel') },
      itemStyle: { color: one.colour }, areaStyle: { color: one.colour, opacity: 1 }, emphasis: { disabled: true }, silent: true,
    })).reverse(),
  };
}

/** Between which ends a value is. */
export type Ends = [number, number] | undefined;

interface Drawing {
  coord(value: [number, number]): [number, number];
}

/** Lines from end to end of the rows that have ends, with a stroke across either, and beside them the value, which would lie under them. */
function whiskers(ends: Ends[], values: number[]): Option {
  const stroke = { stroke: cssColour('ink'), fill: 'none', lineWidth: 1.4 };
  return {
    type: 'custom', silent: true, z: 5,
    // All ends at the axis' extent, so that it shows them.
    encode: { x: [1, 2], y: 0 }, data: ends.flatMap((range, row) => range === undefined ? [] : [[row, ...range, values[row] ?? 0]]),
    renderItem: (_: unknown, api: Drawing & { value(at: number): number }) => {
      const row = api.value(0), [x1, y] = api.coord([api.value(1), row]), [x2] = api.coord([api.value(2), row]);
      const line = (ax: number, ay: number, bx: number, by: number) =>
        ({ type: 'line', shape: { x1: ax, y1: ay, x2: bx, y2: by }, style: stroke });
      const beside = Math.max(x2, api.coord([api.value(3), row])[0], api.coord([0, row])[0]) + 5;
      const text = {
        type: 'text', x: beside, y,
        style: { text: short(api.value(3), 4), fill: cssColour('muted'), fontSize: 11, verticalAlign: 'middle' },
      };
      return { type: 'group', children: [line(x1, y, x2, y), line(x1, y - 4, x1, y + 4), line(x2, y - 4, x2, y + 4), text] };
    },
  };
}

/** Bars with names, the first on top; whiskers where their ends are known. */
export function bars(
  names: string[], values: number[], colours: string | string[], axis: string, domain?: [number, number], ends: Ends[] = []): Option {
  const told = (at: number) => ends[at] === undefined ? '' : `, ${short(ends[at][0], 5)} to ${short(ends[at][1], 5)}`;
  return {
    grid: { left: 8, right: 64, top: 6, bottom: 38, containLabel: true },
    tooltip: tooltip({
      trigger: 'item',
      formatter: (item: { dataIndex: number }) => `${names[item.dataIndex]}: ${short(values[item.dataIndex], 6)}${told(item.dataIndex)}`,
    }),
    xAxis: valueAxis(axis, domain ? { min: domain[0], max: domain[1] } : {}),
    yAxis: nameAxis(names, { inverse: true }, 24),
    series: [{
      type: 'bar', barMaxWidth: 18,
      data: values.map((value, at) => ({
        value: Number.isFinite(value) ? value : null, itemStyle: { color: typeof colours === 'string' ? colours : colours[at] },
      })),
      label: {
        show: true, position: 'right', color: cssColour('muted'), fontSize: 11,
        formatter: (item: { dataIndex: number }) => ends[item.dataIndex] === undefined ? short(values[item.dataIndex], 4) : '',
      },
    }, ...ends.some(range => range !== undefined) ? [whiskers(ends, values)] : []],
  };
}

/** Whether cells of a matrix are so few that their values are written into them. */
export function areWritten(rows: number, columns: number): boolean {
  return rows * columns <= 144 && columns <= 12;
}

/** A matrix as colours; what is shown may be another number than what is told. The ends of values are told, and written under them. */
export function heatMap(
  rows: string[], columns: string[], shown: number[], range: [number, number], told: (row: number, column: number) => string,
  ends: (row: number, column: number) => string = () => '', areEndsWritten = false): Option {
  const isTwoSided = range[0] < 0;
  const few = areWritten(rows.length, columns.length);
  const data = shown.map((value, at) => [at % columns.length, Math.floor(at / columns.length), Number.isFinite(value) ? value : '-']);
  return {
    grid: { left: 8, right: 12, top: 8, bottom: 64, containLabel: true },
    tooltip: tooltip({
      trigger: 'item',
      formatter: (item: { data: [number, number, number] }) =>
        `${rows[item.data[1]]}, ${columns[item.data[0]]}: ${told(item.data[1], item.data[0])}${before(', ', ends(item.data[1], item.data[0]))}`,
    }),
    xAxis: nameAxis(columns, columns.length > 8 ? { axisLabel: { color: cssColour('muted'), rotate: 45, hideOverlap: true } } : {}, 14),
    yAxis: nameAxis(rows, { inverse: true }),
    visualMap: {
      type: 'continuous', min: range[0], max: range[1], calculable: false, orient: 'horizontal', left: 'center', bottom: 0, itemHeight: 140,
      itemWidth: 12, textStyle: { color: cssColour('muted') }, text: [short(range[1], 3), short(range[0], 3)],
      inRange: { color: isTwoSided ? twoSided() : oneSided() },
    },
    series: [{
      type: 'heatmap', data, itemStyle: { borderColor: cssColour('panel'), borderWidth: 1 },
      label: {
        show: few, fontSize: 11, color: cssColour('ink'),
        formatter: (item: { data: [number, number, number] }) => told(item.data[1], item.data[0])
          + (areEndsWritten ? before('\n', ends(item.data[1], item.data[0])) : ''),
        lineHeight: areEndsWritten ? 15 : undefined, textBorderColor: cssColour('panel'), textBorderWidth: 2.5,
      },
    }],
  };
}

function before(mark: string, text: string): string {
  return text === '' ? '' : mark + text;
}

function oneSided(): string[] {
  return isDark() ? ['#1d2733', '#24507f', '#3f86c8', '#a8d4ff'] : ['#f4f7fb', '#b9d3ee', '#5f9bd3', '#1f5b99'];
}

function twoSided(): string[] {
  return isDark() ? ['#ff9a5c', '#7a4a2c', '#222b36', '#2b5a8c', '#7fb8f5'] : ['#b3540f', '#f0b98d', '#f5f6f8', '#94bbe3', '#1f5b99'];
}
