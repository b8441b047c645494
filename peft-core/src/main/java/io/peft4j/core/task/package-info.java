/**
 * What models with a head are used for. Open {@link io.peft4j.core.task.TextClassifier}, {@link
 * io.peft4j.core.task.TokenTagger}, {@link io.peft4j.core.task.QuestionAnswerer} or {@link
 * io.peft4j.core.task.TextEmbedder}; {@link io.peft4j.core.task.TextEncoder} makes the sequences that they run, and
 * that training runs.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.core.task;
