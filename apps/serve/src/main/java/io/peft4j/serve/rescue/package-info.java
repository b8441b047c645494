/**
 * Takes fine-tuned models home from a service that speaks OpenAI's API, while it still answers. Open
 * {@link io.peft4j.serve.rescue.Rescue} first.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.serve.rescue;
