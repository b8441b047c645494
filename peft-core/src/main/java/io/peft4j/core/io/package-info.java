/**
 * Files below their formats. Open {@link io.peft4j.core.io.AtomicFiles} first: everything that this
 * library saves goes through it. {@link io.peft4j.core.io.MappedFile} is how the large weight files are read.
 */
package io.peft4j.core.io;
