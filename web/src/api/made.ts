// Made from the admin API's OpenAPI document by `make types`. Not to be edited.

export interface Act {
  end: number;
  kind: string;
  name: string;
  start: number;
}

export interface Allowance {
  finding: string;
  id: string;
  made: string;
  owner: string;
  reason: string;
  revoked?: string;
  scope: string;
  until: string;
}

export interface AllowanceBody {
  finding: string;
  reason: string;
  scope: string;
  until: string;
}

export interface Branch {
  parent?: string;
  rounds: Round[];
  started_by?: string;
  subagent: string;
}

export interface Cache {
  expected: number;
  read: number;
  reason: string;
  text: string;
}

export interface Canary {
  plant: string;
  rule: string;
  value: string;
  version: string;
  where: string;
}

export interface Capture {
  level: "full" | "metadata";
  principal: string;
}

export interface Change {
  added: number;
  first: boolean;
  kept: number;
  model: boolean;
  removed: number;
  system: boolean;
  tools: boolean;
}

export interface Conversation {
  agent?: string;
  branches: Branch[];
  custody: "same-user" | "own-user";
  first: string;
  from?: string;
  last: string;
  models: string[];
  next?: string;
  prev?: string;
  principal: string;
  session: string;
  turns_total: number;
}

export interface Counts {
  findings: Told[];
  logins: number;
  model_calls: Record<string, number>;
  other_calls: Record<string, number>;
  refused: RefusedFor[];
  stopped: number;
  tunnels: Tunnel[];
  unreadable: Unread;
}

export interface Coverage {
  beside: Covered[];
  nearby: number;
  sessions: Covered[];
  shared: number;
  total: Counts;
  unseen: string;
}

export interface Covered {
  findings: Told[];
  first: string;
  last: string;
  logins: number;
  model_calls: Record<string, number>;
  nearby: number;
  other_calls: Record<string, number>;
  principal: string;
  refused: RefusedFor[];
  session?: string;
  shared: number;
  stopped: number;
  tunnels: Tunnel[];
  unreadable: Unread;
}

export interface Decision {
  rules?: string[];
  verdict: "block" | "ask" | "redact" | "pass";
  why: string;
  would?: string;
}

export interface Explanation {
  action: "block" | "ask" | "redact" | "flag" | "off";
  allowed?: string;
  key: string;
  line: string;
  mode: "observe" | "report" | "enforce";
  passed_over?: Skip[];
  verdict: "block" | "ask" | "redact" | "pass";
  version: string;
  why: string;
}

export interface FilterCheck {
  filter: string;
  texts: boolean;
}

export interface Finding {
  action: "block" | "ask" | "redact" | "flag" | "off";
  allowed?: string;
  channel: string;
  confidence: number;
  end: number;
  facts?: string[];
  fixed?: boolean;
  from?: Origin;
  id: string;
  note?: string;
  place?: string;
  rule: string;
  severity: "low" | "medium" | "high" | "critical";
  start: number;
  via?: string[];
}

export interface FirstCall {
  agent: string;
  at: string;
  entrance: "redirect" | "intercept" | "tunnel" | "import" | "guardrail";
  flow: string;
}

export interface FlowDetail {
  intent: Intent | null;
  outcome: Outcome | null;
}

export interface Found {
  hits: Hit[];
  indexed: Progress;
  more: boolean;
  next?: string;
}

export interface Fragment {
  match?: boolean;
  text: string;
}

export interface Group {
  blocked: number;
  cost_usd: number | null;
  failed: number;
  findings: Record<string, number>;
  flows: number;
  keys: string[];
  principal?: string;
  redacted: number;
  turns: number;
  unpriced: number;
  usage: UsageView;
  would: number;
}

export interface Growth {
  segments: Stretch[];
}

export interface Header {
  n: string;
  v: string;
}

export interface Hit {
  flow: string;
  kind: string;
  last?: string;
  principal: string;
  resent: number;
  role?: string;
  session: string;
  snippet: Fragment[];
  started: string;
  turn?: number;
}

export interface ImportLine {
  done?: number;
  report?: ImportReport;
}

export interface ImportReport {
  error?: string;
  exchanges: number;
  flows: number;
  reasons?: string[];
  skipped?: Record<string, number>;
  undated?: number;
  unreadable?: number;
}

export interface Intent {
  acts?: Act[];
  agent?: string;
  api: string;
  capture: "full" | "metadata";
  custody: "same-user" | "own-user";
  decision: Decision;
  entrance: "redirect" | "intercept" | "tunnel" | "import" | "guardrail";
  findings?: Finding[];
  flow: string;
  forwarded_bytes: number;
  forwarded_sha256: string;
  header?: Header[];
  host?: string;
  method: string;
  model?: string;
  path: string;
  policy: string;
  principal: Principal;
  provider: string;
  request_bytes: number;
  request_sha256: string;
  retry_of?: string;
  scanned_bytes: number;
  session: Session;
  started: string;
  tls?: Leg;
  turn?: number;
  unreadable?: string;
  unreadable_bytes?: number;
}

export interface JournalEntry {
  at: string;
  attrs?: Record<string, string>;
  entry: number;
  flow?: string;
  kind: string;
  part?: string;
  principal?: string;
  query?: string;
  session?: string;
  what?: string;
  who?: string;
  why?: string;
}

export interface JournalPage {
  entries: JournalEntry[];
}

export interface Kept {
  capture: Capture[];
  max_bytes: number;
  max_days: number;
}

export interface KeyBody {
  name: string;
}

export interface KeyView {
  created: string;
  name: string;
  revoked?: string;
}

export interface LedgerProblem {
  code: number;
  entry?: number;
  flow?: string;
  offset?: number;
  segment?: number;
  text: string;
}

export interface LedgerStatus {
  at_risk: number;
  bytes: number;
  entries: number;
  fault?: string;
  full: boolean;
  mode: string;
  open: number;
  queue_bytes: number;
  segments: number;
  text: Progress;
  unindexed: number;
}

export interface Leg {
  alpn?: string;
  chain?: string;
  cipher: string;
  version: string;
}

export interface LoginBody {
  token: string;
}

export interface Mark {
  action?: string;
  end: number;
  finding?: string;
  from: number;
  place?: string;
  rule: string;
  sealed?: boolean;
  severity?: "low" | "medium" | "high" | "critical";
  shown: string;
  start: number;
  to: number;
  value?: boolean;
}

export interface Media {
  bytes: number;
  data?: string;
  type: string;
}

export interface NewCanary {
  form: string;
  name: string;
  title: string;
}

export interface NewKey {
  key: string;
  name: string;
}

export interface NewLink {
  ends: string;
  link: string;
}

export interface NewSecret {
  name: string;
  severity?: "low" | "medium" | "high" | "critical";
  title: string;
  value: string;
}

export interface Origin {
  channel: string;
  end: number;
  flow: string;
  rule?: string;
  start: number;
  tool?: string;
}

export interface Outcome {
  cost_usd?: number;
  decision?: Decision;
  delivered_sha256?: string;
  duration: number;
  error?: string;
  findings?: Finding[];
  first_byte?: number;
  flow: string;
  header?: Header[];
  model?: string;
  provider_request_id?: string;
  response_bytes: number;
  response_id?: string;
  response_sha256?: string;
  restored?: number;
  scanned_bytes: number;
  sent_bytes?: number;
  state: "open" | "done" | "aborted" | "refused" | "unknown";
  status?: number;
  stop?: string;
  tls?: Leg;
  tools?: string[];
  unreadable?: string;
  unsent?: boolean;
  usage: Usage;
  why?: string;
  withheld?: number;
}

export interface Overview {
  groups: Group[];
  total: Group;
}

export interface Part {
  bad?: boolean;
  bytes: number;
  cut?: boolean;
  echo?: boolean;
  failed?: boolean;
  first?: Seen;
  id?: string;
  kind: string;
  marks?: Mark[];
  media?: Media;
  n: number;
  name?: string;
  prompt?: number;
  role: string;
  shows?: Media[];
  side: string;
  signed?: boolean;
  text: string;
  title?: string;
}

export interface PlacedFinding {
  action: "block" | "ask" | "redact" | "flag" | "off";
  allowed?: string;
  channel: string;
  confidence: number;
  end: number;
  facts?: string[];
  fixed?: boolean;
  from?: Origin;
  id: string;
  note?: string;
  part?: number;
  place?: string;
  rule: string;
  severity: "low" | "medium" | "high" | "critical";
  start: number;
  via?: string[];
}

export interface PolicyStatus {
  error?: string;
  file?: string;
  loaded: string;
  mode: string;
  version: string;
}

export interface PolicyTests {
  failures: TestFailure[];
  tests: number;
}

export interface Principal {
  credential?: string;
  key?: string;
  name: string;
  pid?: number;
  program?: string;
  user?: string;
}

export interface Problem {
  error: { column?: number; hint?: string; kind: string; message: string; };
}

export interface Progress {
  done: number;
  total: number;
}

export interface RefusedFor {
  flows: number;
  host?: string;
  why: string;
}

export interface Registered {
  rule: string;
  version: string;
}

export interface RemoteDetector {
  answered: number;
  cached: number;
  failed: number;
  name: string;
  open: boolean;
  passed: number;
}

export interface RemoteDetectors {
  detectors: RemoteDetector[];
}

export interface Report {
  bodies: number;
  bytes: number;
  code: number;
  cut: number;
  entries: number;
  expired: number;
  first: number;
  flows: number;
  last: number;
  more?: number;
  open: number;
  problems?: LedgerProblem[];
  segments: number;
  unknown: number;
}

export interface RevealBody {
  end: number;
  finding?: string;
  part?: number;
  place: string;
  start: number;
  why: string;
}

export interface Revealed {
  value: string;
}

export interface Round {
  n: number | null;
  prompt: string;
  turns: Turn[];
}

export interface Row {
  agent?: string;
  api: string;
  cache_read: number;
  cache_write: number;
  cost_usd: number | null;
  duration_ms: number | null;
  entrance: "redirect" | "intercept" | "tunnel" | "import" | "guardrail";
  error?: string;
  estimated?: boolean;
  first_byte_ms: number | null;
  host?: string;
  id: string;
  input: number;
  method: string;
  model: string;
  output: number;
  path: string;
  principal: string;
  provider: string;
  request_bytes: number;
  response_bytes: number;
  retry?: boolean;
  rules?: string[];
  session: string;
  severity?: string;
  started: string;
  state: "open" | "done" | "aborted" | "refused" | "unknown";
  status: number;
  subagent?: string;
  tools?: string[];
  turn: number | null;
  verdict: "block" | "ask" | "redact" | "pass";
  why?: string;
  would?: string;
}

export interface RowCount {
  count: number;
}

export interface Rule {
  confidence: number;
  family: string;
  file?: string;
  id: string;
  rule: string;
  severity: "low" | "medium" | "high" | "critical";
  title: string;
}

export interface RulesStatus {
  error?: string;
  files?: string[];
  loaded?: string;
  number: number;
  version: string;
}

export interface SavedView {
  name: string;
  owner: string;
  page: string;
  q: string;
}

export interface Seen {
  flow: string;
  turn: number | null;
}

export interface Session {
  claimed?: boolean;
  id: string;
  parent?: string;
  predecessor?: string;
  previous?: string;
  subagent?: string;
}

export interface SessionView {
  agent?: string;
  blocked: number;
  cost_usd: number | null;
  ended: string;
  first: string;
  flows: number;
  last: string;
  models: string[];
  partial: boolean;
  principal: string;
  redacted: number;
  session: string;
  subagents: number;
  turns: number;
  usage: UsageView;
  would: number;
}

export interface Setup {
  agents: SetupAgent[];
}

export interface SetupAgent {
  checked?: string;
  name: string;
  seen: FirstCall[];
  title: string;
  ways: SetupWay[];
}

export interface SetupWay {
  entrance: "redirect" | "intercept" | "tunnel" | "import" | "guardrail";
  text: string;
  title: string;
}

export interface Skip {
  key: string;
  line: string;
  why: string;
}

export interface Status {
  console: string;
  custody: "same-user" | "own-user";
  data: string;
  intercept: string;
  kept: Kept;
  ledger: LedgerStatus;
  listen: string;
  pid: number;
  policy: PolicyStatus;
  ready: boolean;
  rules: RulesStatus;
  started: string;
  version: string;
  who: string;
  why?: string;
}

export interface Stretch {
  bytes: number;
  from: string;
}

export interface TestFailure {
  got: string;
  line: string;
  want: string;
  why: string;
}

export interface Told {
  facts: string[];
  flows: number;
  last: string;
  note: string;
  rule: string;
}

export interface Tunnel {
  flows: number;
  host: string;
  received_bytes: number;
  sent_bytes: number;
}

export interface Turn {
  added: Part[];
  agent?: string;
  answer: Part[];
  answer_unread?: string;
  api: string;
  before?: string;
  cache: Cache;
  change: Change;
  compacts?: string;
  cost_usd: number | null;
  duration_ms: number | null;
  entrance: "redirect" | "intercept" | "tunnel" | "import" | "guardrail";
  error?: string;
  findings: PlacedFinding[];
  first_byte_ms: number | null;
  flow: string;
  left?: number;
  method: string;
  model: string;
  path: string;
  redacted: boolean;
  request_bytes: number;
  response_bytes: number;
  retry_of?: string;
  rules?: string[];
  side?: boolean;
  started: string;
  state: "open" | "done" | "aborted" | "refused" | "unknown";
  status: number;
  stop?: string;
  summary?: boolean;
  turn: number | null;
  unread?: string;
  usage: UsageView;
  verdict: "block" | "ask" | "redact" | "pass";
  why: string;
  would?: string;
}

export interface Unread {
  bytes: number;
  flows: number;
}

export interface Usage {
  cache_read: number;
  cache_write: number;
  cache_write_1h?: number;
  estimated: boolean;
  input: number;
  output: number;
  reasoning: number;
  tier?: string;
}

export interface UsageView {
  cache_read: number;
  cache_write: number;
  estimated: boolean;
  input: number;
  output: number;
  reasoning: number;
}

export interface VerifyLine {
  done?: number;
  report?: Report;
  total?: number;
}

export interface View {
  agent?: string;
  api: string;
  claimed?: boolean;
  client_tls?: Leg;
  cost_usd: number | null;
  credential?: string;
  custody: "same-user" | "own-user";
  delivered_sha256: string;
  duration_ms: number | null;
  entrance: "redirect" | "intercept" | "tunnel" | "import" | "guardrail";
  error?: string;
  findings?: Finding[];
  first_byte_ms: number | null;
  forwarded_bytes: number;
  forwarded_sha256: string;
  host?: string;
  id: string;
  method: string;
  model: string;
  path: string;
  predecessor?: string;
  principal: string;
  provider: string;
  provider_request_id: string;
  provider_tls?: Leg;
  request_bytes: number;
  request_sha256: string;
  response_bytes: number;
  response_sha256: string;
  retry_of: string | null;
  rules?: string[];
  scanned_bytes: number;
  sent_bytes?: number;
  session: string;
  started: string;
  state: "open" | "done" | "aborted" | "refused" | "unknown";
  status: number;
  stop?: string;
  subagent?: string;
  tools?: string[];
  turn: number | null;
  unreadable?: string;
  unreadable_bytes?: number;
  usage: UsageView;
  verdict: "block" | "ask" | "redact" | "pass";
  why: string;
  would?: string;
}

export interface ViewBody {
  name: string;
  page: string;
  q: string;
}

export interface ViewList {
  views: SavedView[];
}

export interface Visit {
  page: string;
  who: string;
}
