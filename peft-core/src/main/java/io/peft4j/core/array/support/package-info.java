/**
 * Native memory below arrays. Open {@link io.peft4j.core.array.support.NativeMemory} first: bulk copies between an
 * address and a heap array. {@link io.peft4j.core.array.support.NativeLibraries} is for code that opens native
 * libraries on threads of its own.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.core.array.support;
