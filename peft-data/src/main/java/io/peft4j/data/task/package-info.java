/**
 * Examples for models with a head and for encoder-decoders, and their files. Open {@link io.peft4j.data.task.TaskRows}
 * first.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.data.task;
