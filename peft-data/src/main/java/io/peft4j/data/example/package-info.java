/**
 * What a row of a data set is, whatever its file looked like. Open {@link io.peft4j.data.example.Example} first.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.data.example;
