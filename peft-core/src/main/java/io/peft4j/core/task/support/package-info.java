/**
 * How networks read what they are asked. Open {@link io.peft4j.core.task.support.DecisionForm} first: a question in the
 * forms that networks answer it in. {@link io.peft4j.core.task.support.SourceEncoder} makes the sequences of
 * encoder-decoders.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.core.task.support;
