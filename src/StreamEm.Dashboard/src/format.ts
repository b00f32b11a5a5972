const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

export function count(value: number | undefined): string {
  return value === undefined ? '\u2013' : Math.abs(value) < 1e7 ? grouped.format(value) : compact.format(value);
}

/** Four significant digits, an exponent where a number is very large or small. */
export function short(value: number | null | undefined, digits = 4): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '\u2013';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e7 || size < 1e-4) return value.toExponential(digits - 2).replace('e+', 'e');
  return String(Number(value.toPrecision(digits)));
}

export function percent(value: number | null | undefined): string {
  return value === null || value === undefined || !Number.isFinite(value) ? '\u2013'
    : `${(100 * value).toFixed(value >= 0.0995 || value === 0 ? 1 : 2)} %`;
}

export function perSecond(rate: number | undefined): string {
  return rate === undefined ? '\u2013' : `${rate < 100 ? short(rate, 3) : count(rate)}/s`;
}

export function time(instant: string | undefined): string {
  if (instant === undefined) return '\u2013';
  const at = new Date(instant);
  return Number.isNaN(at.getTime()) ? instant : at.toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
}

export function seconds(milliseconds: number): string {
  const s = Math.round(milliseconds / 1000);
  return s < 60 ? `${s} s` : s < 3600 ? `${Math.floor(s / 60)} min ${s % 60} s` : `${Math.floor(s / 3600)} h ${Math.floor(s % 3600 / 60)} min`;
}

/** A word of the API as people read it. */
export function words(name: string): string {
  return name.replaceAll('_', ' ');
}

/** A name short enough for an axis. */
export function clip(text: string, most = 18): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}\u2026`;
}

/** Any value of a record, as text. */
export function valueText(value: unknown): string {
  return value === null || value === undefined ? '' : typeof value === 'number' ? short(value, 6)
    : typeof value === 'string' ? value : JSON.stringify(value);
}
