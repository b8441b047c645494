/**
 * How examples are dealt out. Open {@link io.peft4j.data.split.internal.DataSplit} first.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.data.split.internal;
