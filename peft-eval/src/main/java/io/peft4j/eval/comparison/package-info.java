/**
 * Two sets of outcomes on the same items, and what follows from them. Open
 * {@link io.peft4j.eval.comparison.PairedOutcomes} first, then {@link io.peft4j.eval.comparison.Verdict}.
 */
package io.peft4j.eval.comparison;
