/**
 * What an evaluation found, as Java values, JSON, Markdown and one HTML page. Open
 * {@link io.peft4j.eval.report.ComparisonReport} first.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.eval.report;
