/**
 * What is wrong with a data set, before anything is trained on it. Open {@link io.peft4j.data.report.DataCheck} and
 * {@link io.peft4j.data.report.DataReport} first; {@link io.peft4j.data.report.FindingCode} lists what is looked for.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.data.report;
