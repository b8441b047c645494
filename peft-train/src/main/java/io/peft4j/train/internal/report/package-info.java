/**
 * What is told and written about a training while it runs: open
 * {@link io.peft4j.train.internal.report.MetricsFile} first.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.train.internal.report;
