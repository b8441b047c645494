/**
 * What can be said about a difference after so many items: intervals, effect sizes and how many items a question needs.
 * Open {@link io.peft4j.eval.statistics.Bootstrap} first.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.eval.statistics;
