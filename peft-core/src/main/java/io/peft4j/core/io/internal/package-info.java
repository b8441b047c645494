/** Large files in memory: {@link io.peft4j.core.io.internal.MappedFile}. */
@org.jspecify.annotations.NullMarked
package io.peft4j.core.io.internal;
