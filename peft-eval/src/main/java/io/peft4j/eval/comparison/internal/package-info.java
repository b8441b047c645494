/**
 * How outcomes are compared and a verdict is found. Open
 * {@link io.peft4j.eval.comparison.internal.PairedOutcomes} first, then
 * {@link io.peft4j.eval.comparison.internal.VerdictRules}.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.eval.comparison.internal;
