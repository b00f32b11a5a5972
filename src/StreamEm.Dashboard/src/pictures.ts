import { areWritten, bars, Chart, heatMap, type Ends } from './charts';
import { h, replace, say, select } from './dom';
import { percent, short, words } from './format';
import { colourOf, cssColour } from './theme';
import type { Axis, Block, Layout, Ranges, Snapshot } from './types';

const mostBars = 40, mostColumns = 40, mostRows = 60, mostEntries = 10, mostColumnsWithEnds = 6;

/**
 * The picture of a block of parameters, by its shape and by what its axes are of: a number, bars, a matrix of colours, the entries that
 * weigh most in every row; of more axes one matrix at a time.
 */
export class BlockPicture {
  readonly element: HTMLElement;
  private readonly body = h('div', {});
  private chart: Chart | undefined;
  private place = 0;
  private readonly sure = h('p', { class: 'muted' });
  private values: number[] = [];
  private ranges: Ranges | undefined;
  private scale: number[] = [];
  private location: number[] = [];
  private features: string[] = [];

  constructor(private readonly block: Block) {
    this.element = h('div', { class: 'card', 'data-block': block.name },
      h('h3', {}, block.name, h('span', { class: 'muted' }, ` ${describe(block)}`)), this.body, this.sure);
    if (this.matrices > 1)
      this.element.insertBefore(select('of', this.matrixNames, this.matrixNames[0]!, name => {
        this.place = this.matrixNames.indexOf(name);
        this.draw();
      }), this.body);
  }

  update(snapshot: Snapshot): void {
    const tensor = snapshot.parameters[this.block.name];
    if (tensor === undefined) return;
    this.values = tensor.data;
    this.ranges = snapshot.intervals?.parameters[this.block.name];
    const isKnown = this.values.some((_, at) => this.ends(at) !== undefined);
    say(this.sure, isKnown ? `${percent(snapshot.intervals!.level)} at every look: ${this.how()}` : '');
    this.sure.hidden = !isKnown;
    this.scale = snapshot.standardization.scale;
    this.location = snapshot.standardization.location;
    this.features = snapshot.signature.target === undefined
      ? snapshot.signature.features : [...snapshot.signature.features, snapshot.signature.target];
    this.draw();
  }

  dispose(): void {
    this.chart?.dispose();
  }

  private get hasRowNames(): boolean {
    return this.block.axes[0]?.of === 'row';
  }

  /** Rows of a matrix: all places before the last axis where they have names, else the axis before the last. */
  private get rowNames(): string[] {
    const { shape, axes } = this.block;
    return this.hasRowNames ? namesOf(axes[0]!, shape.slice(0, -1).reduce((product, extent) => product * extent, 1), 'row')
      : namesOf(axes[axes.length - 2]!, shape[shape.length - 2]!, 'row');
  }

  private get matrices(): number {
    return this.hasRowNames ? 1 : this.block.shape.slice(0, -2).reduce((product, extent) => product * extent, 1);
  }

  private get matrixNames(): string[] {
    const { shape, axes } = this.block;
    let names = [''];
    for (let axis = 0; axis < shape.length - 2; axis++) {
      const own = namesOf(axes[axis]!, shape[axis]!, words(axes[axis]!.of));
      names = names.flatMap(before => own.map(name => before === '' ? name : `${before}, ${name}`));
    }
    return names;
  }

  /** Between which ends a value is, where that is known. */
  private ends(at: number): Ends {
    const low = this.ranges?.lower[at], high = this.ranges?.upper[at];
    return low == null || high == null ? undefined : [low, high];
  }

  /** Where the ends of values are to be read. */
  private how(): string {
    const columns = this.block.shape[this.block.shape.length - 1] ?? 1, last = this.block.axes[this.block.axes.length - 1];
    return this.values.length === 1 ? 'in brackets'
      : this.block.shape.length > 1 && columns > mostColumns && last?.names !== undefined ? 'in the table of streamem inspect'
        : this.block.shape.length <= 1 || columns === 1 ? 'whiskers' : this.areEndsWritten ? 'under the values' : 'said where the pointer is';
  }

  /** Whether cells have room for the ends of their values. */
  private get areEndsWritten(): boolean {
    const columns = this.block.shape[this.block.shape.length - 1] ?? 1;
    return columns <= mostColumnsWithEnds && areWritten(this.rowNames.length, columns)
      && this.ranges?.lower.some(low => low != null) === true;
  }

  private draw(): void {
    const { shape, axes } = this.block;
    if (this.values.length === 1) {
      const ends = this.ends(0);
      replace(this.body, h('p', { class: 'big' }, short(this.values[0], 6),
        ends === undefined ? '' : h('span', { class: 'muted' }, ` [${short(ends[0], 5)}, ${short(ends[1], 5)}]`)));
      return;
    }
    if (shape.length <= 1) this.drawBars(namesOf(axes[0] ?? { of: 'index' }, this.values.length, ''), this.values, 0);
    else this.drawMatrix();
  }

  private drawBars(names: string[], values: number[], start: number): void {
    const order = values.map((_, at) => at);
    if (values.length > mostBars) order.sort((a, b) => Math.abs(values[b]!) - Math.abs(values[a]!)).splice(mostBars);
    const shown = order.map(at => names[at]!);
    const isOfComponents = this.block.axes[0]?.of === 'component';
    const chart = this.picture();
    chart.tall(order.length);
    const left = values.length - order.length;
    chart.show(`${this.block.name}: ${shown.slice(0, 12).map((name, at) => `${name} ${short(values[order[at]!])}${inWords(this.ends(start + order[at]!))}`).join(', ')}.`,
      () => bars(shown, order.map(at => values[at]!), isOfComponents ? shown.map(colourOf) : cssColour('accent'),
        left > 0 ? `the ${order.length} largest of ${values.length}` : '',
        this.block.domain === 'simplex' || this.block.domain === 'probability' ? [0, 1] : undefined,
        order.map(at => this.ends(start + at))));
  }

  private drawMatrix(): void {
    const { shape, axes, domain } = this.block;
    const columns = shape[shape.length - 1]!, rowNames = this.rowNames;
    const rows = rowNames.length, start = this.place * rows * columns;
    const values = this.values.slice(start, start + rows * columns);
    const last = axes[axes.length - 1]!;
    if (columns > mostColumns && last.names !== undefined) {
      this.drawEntries(rowNames, last.names, values);
      return;
    }
    if (columns === 1) {
      this.drawBars(rowNames, values, start);
      return;
    }
    const columnNames = namesOf(last, columns, last.of === 'index' ? 'factor' : '').slice(0, mostColumns);
    const shownRows = rowNames.slice(0, mostRows);
    const cell = (row: number, column: number) => values[row * columns + column]!;
    const { shown, range, what } = this.colours(cell, shownRows.length, columnNames.length, rows === columns && domain === 'positive_definite');
    const chart = this.picture();
    const hasEnds = this.areEndsWritten;
    chart.tall(hasEnds ? 2 * shownRows.length : shownRows.length);
    const isShare = domain === 'simplex' || domain === 'probability';
    chart.show(`${this.block.name}, ${rows} by ${columns}. Colours: ${what}.`, () => heatMap(shownRows, columnNames, shown, range,
      (row, column) => isShare ? percent(cell(row, column)) : short(cell(row, column), 3), (row, column) => {
        const ends = this.ends(start + row * columns + column);
        return ends === undefined ? '' : isShare ? `${percent(ends[0])} to ${percent(ends[1])}` : `${short(ends[0], 4)} to ${short(ends[1], 4)}`;
      }, hasEnds));
  }

  /** What decides on colours: probabilities as they are, covariances as correlations, features each in its own spread. */
  private colours(cell: (row: number, column: number) => number, rows: number, columns: number, isCovariance: boolean):
    { shown: number[]; range: [number, number]; what: string } {
    const { domain, axes } = this.block;
    const make = (value: (row: number, column: number) => number) =>
      Array.from({ length: rows * columns }, (_, at) => value(Math.floor(at / columns), at % columns));
    if (domain === 'simplex' || domain === 'probability') return { shown: make(cell), range: [0, 1], what: 'probability' };
    if (isCovariance)
      return {
        shown: make((row, column) => cell(row, column) / Math.sqrt(cell(row, row) * cell(column, column))), range: [-1, 1],
        what: 'correlation',
      };
    const last = axes[axes.length - 1]!;
    if (last.of === 'feature' && last.names !== undefined) {
      const at = last.names.map(name => this.features.indexOf(name));
      const centre = domain === 'real' ? 1 : 0;
      const shown = make((row, column) => (cell(row, column) - centre * (this.location[at[column]!] ?? 0)) / (this.scale[at[column]!] ?? 1));
      const most = largest(shown);
      return domain === 'real'
        ? { shown, range: [-most, most], what: 'distance from the mean of all, in standard deviations of the feature' }
        : { shown, range: [0, most], what: 'size, in units of the feature\'s scale' };
    }
    const shown = make(cell), most = largest(shown);
    return { shown, range: shown.some(value => value < 0) ? [-most, most] : [0, most], what: 'value' };
  }

  /** Rows over many names, such as topics over words: the names that weigh most in each. */
  private drawEntries(rowNames: string[], names: string[], values: number[]): void {
    this.chart?.dispose();
    this.chart = undefined;
    const isShare = this.block.domain !== 'real';
    replace(this.body, h('div', { class: 'entries', tabindex: 0, role: 'region', 'aria-label': `Entries of ${this.block.name}` }, ...rowNames.slice(0, mostRows).map((row, r) => {
      const own = values.slice(r * names.length, (r + 1) * names.length);
      const total = isShare ? own.reduce((sum, value) => sum + value, 0) : 1;
      const order = own.map((_, at) => at).sort((a, b) => Math.abs(own[b]!) - Math.abs(own[a]!)).slice(0, mostEntries);
      const most = Math.abs(own[order[0]!] ?? 1) || 1;
      return h('section', {}, h('h4', {}, row), h('ol', {}, ...order.map(at => {
        const bar = h('span', { class: 'share', 'aria-hidden': true });
        bar.style.width = `${100 * Math.abs(own[at]!) / most}%`;
        bar.style.background = colourOf(row);
        return h('li', {}, bar, h('span', { class: 'name' }, names[at]!),
          h('span', { class: 'number' }, isShare ? percent(own[at]! / total) : short(own[at]!)));
      })));
    })));
  }

  private picture(): Chart {
    if (this.chart === undefined) {
      this.chart = new Chart(`Parameters ${this.block.name}`, 'small');
      replace(this.body, this.chart.element);
    }
    return this.chart;
  }
}

/** The pictures of all blocks, the small ones first as the layout has them. */
export function blockPictures(layout: Layout): BlockPicture[] {
  return layout.blocks.filter(block => block.shape.every(extent => extent > 0)).map(block => new BlockPicture(block));
}

function inWords(ends: Ends): string {
  return ends === undefined ? '' : ` (${short(ends[0])} to ${short(ends[1])})`;
}

function describe(block: Block): string {
  return block.shape.length === 0 ? '' : block.shape.map((extent, axis) => {
    const of = block.axes[axis]?.of ?? 'index';
    return of === 'index' ? String(extent) : `${extent} ${extent === 1 ? of : of === 'entry' ? 'entries' : of === 'class' ? 'classes' : `${of}s`}`;
  }).join(' \u00d7 ');
}

function namesOf(axis: Axis, count: number, word: string): string[] {
  return axis.names?.length === count ? axis.names : Array.from({ length: count }, (_, at) => word === '' ? String(at) : `${word} ${at}`);
}

function largest(values: number[]): number {
  return values.reduce((most, value) => Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most, 0) || 1;
}
