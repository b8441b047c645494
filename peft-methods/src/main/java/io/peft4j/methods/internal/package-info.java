/**
 * The methods that the configurations of {@link io.peft4j.methods} are read and made by, and their layers. Open
 * {@link io.peft4j.methods.internal.HraMethod} first: the smallest complete method.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.methods.internal;
