/**
 * How good models with a head are: open {@link io.peft4j.eval.head.EntityScores} for taggers and {@link
 * io.peft4j.eval.head.SearchQuality} for vectors of texts; classifiers are counted by {@link
 * io.peft4j.eval.task.Classification}.
 */
package io.peft4j.eval.head;
