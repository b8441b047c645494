/**
 * Opinions from outside: a language model that judges answers, and embeddings that say how near an answer is to its
 * reference. Never required. Open {@link io.peft4j.eval.judge.Judge} first, then
 * {@link io.peft4j.eval.judge.LlmJudge} and {@link io.peft4j.eval.judge.Embedder}.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.eval.judge;
