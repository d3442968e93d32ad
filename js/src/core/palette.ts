/** The colours a canvas or a saved picture draws with, as #rrggbb. */
export interface Palette {
  dark: boolean;
  paper: string;
  ink: string;
  muted: string;
  line: string;
  faint: string;
  /** Branches above the cut. */
  branch: string;
  /** Bars of sums. */
  sum: string;
  /** Selected, and nothing else. */
  accent: string;
  clusters: string[];
  /** The six marks, in the order of MARKS. */
  marks: string[];
  font: string;
}
