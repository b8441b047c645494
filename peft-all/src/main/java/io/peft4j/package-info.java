/**
 * The front door: {@link io.peft4j.Peft4j} has what a first program needs behind one import. The types that it gives
 * live in the packages of the modules.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j;
