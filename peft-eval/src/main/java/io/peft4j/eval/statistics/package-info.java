/**
 * What can be said about a difference after so many items: intervals, tests, effect sizes and how many items a
 * question needs. Open {@link io.peft4j.eval.statistics.Bootstrap} and {@link io.peft4j.eval.statistics.PairedTests}
 * first.
 */
package io.peft4j.eval.statistics;
