/**
 * The low-rank adapter methods (LoRA and its relatives). They wrap layers found by path and know no model.
 */
package io.peft4j.lora;
