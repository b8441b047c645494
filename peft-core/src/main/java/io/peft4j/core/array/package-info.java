/**
 * Native arrays: where they live and how Java code reads them. Open {@link io.peft4j.core.array.Arena} first (the
 * memory of a step), then {@link io.peft4j.core.array.Arrays} (creating, reading and converting arrays) and
 * {@link io.peft4j.core.array.NativeMemory} (bulk copies between an address and a heap array).
 * {@link io.peft4j.core.array.NativeLibraries} is for code that opens native libraries on threads of its own.
 */
package io.peft4j.core.array;
