/**
 * What all other packages use: {@link io.peft4j.core.Internal} marks what is not for applications, and
 * {@link io.peft4j.core.Registered} finds what jars on the class path add to the library.
 */
@io.peft4j.core.Internal(shared = true)
@org.jspecify.annotations.NullMarked
package io.peft4j.core;
