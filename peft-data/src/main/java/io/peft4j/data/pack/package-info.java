/** How token sequences become batches of bounded size: {@link io.peft4j.data.pack.PackOptions}. */
@org.jspecify.annotations.NullMarked
package io.peft4j.data.pack;
