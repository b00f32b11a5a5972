// What the API answers, as far as the dashboard reads it.

export interface ModelSummary {
  id: string;
  type: string;
  status: string;
  version: number;
  pinned_version?: number;
  updates: number;
  records: number;
  unlearned: number;
  bounded: number;
  records_pending: number;
  records_rejected: Record<string, number>;
  fields_unread: Record<string, number>;
  records_skipped?: number;
  source_lag?: number;
  mean_log_likelihood?: number;
  running_mean_log_likelihood?: number;
  step_size?: number;
  effective_records?: number;
  run_id?: string;
  updated_at?: string;
  progress?: { records: number; needed: number };
  problem?: string;
  warnings: string[];
  events: { event: string; component?: string; version: number; until: number; count: number }[];
  scale_out?: { partitions: number; folds: boolean; staleness?: { minibatches: number; mean: number; max: number } };
  candidates?: { components: number; rank: number; mean_log_likelihood: number; records: number }[];
}

/** Who learns a model that several workers learn, and what is not in it yet. */
export interface SharedWork {
  group_id: string;
  this_worker: string;
  workers: { worker: string; host: string; partitions: string[]; folds: boolean }[];
  partitions: { partition: string; worker?: string; position?: number; end: number; lag?: number }[];
  lag: number;
}

export interface VersionSummary {
  version: number;
  created_at: string;
  records: number;
  mean_log_likelihood?: number;
  running_mean_log_likelihood?: number;
  step_size?: number;
  energy?: number;
  entropy?: number;
  components?: Record<string, number>;
}

export interface Tensor {
  shape: number[];
  data: number[];
}

/** How sure the values of a block are; null where nothing is known. */
export interface Ranges {
  lower: (number | null)[];
  upper: (number | null)[];
}

export interface Snapshot {
  model: { id: string; type: string; run_id: string; options: Record<string, string> };
  version: number;
  created_at: string;
  signature: {
    features: string[];
    target?: string;
    key?: string;
    timestamp?: string;
    derived?: ({ name: string } & Record<string, unknown>)[];
    outputs: string[];
  };
  parameters: Record<string, Tensor>;
  intervals?: { level: number; records: number; parameters: Record<string, Ranges> };
  component_ids: string[];
  labels?: (string | null)[];
  standardization: { location: number[]; scale: number[] };
  training: { status: string; recursion: string; kappa: number; t0: number; floor: number; warnings: string[] };
  source: Record<string, number>;
  health: Record<string, unknown>;
}

export interface Axis {
  of: string;
  names?: string[];
}

export interface Block {
  name: string;
  shape: number[];
  domain: string;
  axes: Axis[];
}

export interface Layout {
  model: string;
  version: number;
  features: { name: string; kind: string; levels?: string[] }[];
  blocks: Block[];
}

export interface Ellipse {
  x: number;
  y: number;
  variance_x: number;
  covariance: number;
  variance_y: number;
}

export interface Component {
  id: string;
  label?: string;
  status: string;
  share: number;
  ellipse?: Ellipse;
}

export interface Components {
  run_id: string;
  version: number;
  components: Component[];
}

export interface Explanation {
  contribution: number | null;
  expected: number | null;
  interval: [number | null, number | null];
}

export interface ScoredRecord {
  record: number;
  key?: string;
  timestamp?: string;
  partition?: string;
  offset?: number;
  log_density?: number | null;
  component_id?: string;
  anomaly_score?: number | null;
  p_value?: number | null;
  novelty_p_value?: number | null;
  alarm?: boolean;
  alarm_event?: string;
  version?: number;
  fields?: Record<string, unknown>;
  explanation?: Record<string, Explanation>;
  error?: { reason: string; detail: string };
  [block: string]: unknown;
}

export interface Recent {
  version?: number;
  kind: string;
  one_in?: number;
  records: ScoredRecord[];
}

export interface Difference {
  a: { version: number; records: number };
  b: { version: number; records: number };
  draws: number;
  kl_a_b: { value: number | null; standard_error: number | null; impossible?: number };
  kl_b_a: { value: number | null; standard_error: number | null; impossible?: number };
  only_a: string[];
  only_b: string[];
  components: {
    id: string; weight_a: number | null; weight_b: number | null; kl: number | null;
    feature?: string; shift?: number | null; spread?: number | null;
  }[];
  parameters: Record<string, { largest: number | null; root_mean_square: number | null }>;
}

export interface Problem {
  title?: string;
  detail?: string;
  found?: unknown;
  expected?: unknown;
}
