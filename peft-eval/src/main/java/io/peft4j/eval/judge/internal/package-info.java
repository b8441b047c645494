/**
 * What judges and embeddings say about two sets of answers. Open
 * {@link io.peft4j.eval.judge.internal.JudgedAnswers} first.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.eval.judge.internal;
