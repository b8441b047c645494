/**
 * Scores of a text against reference texts, equal to the implementations that the field reports: SQuAD's exact match
 * and token F1, ROUGE as in rouge-score, BLEU and chrF as in sacreBLEU, and calibration. Open
 * {@link io.peft4j.eval.metric.TextMetrics} first.
 */
@io.peft4j.core.Internal
@org.jspecify.annotations.NullMarked
package io.peft4j.eval.metric;
