/**
 * Two sets of outcomes on the same items, and what follows from them. Open
 * {@link io.peft4j.eval.comparison.Verdict} first, then {@link io.peft4j.eval.comparison.MetricResult}.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.eval.comparison;
