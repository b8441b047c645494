/**
 * Training examples: reading, checking, masking, splitting and packing them.
 */
package io.peft4j.data;
