/** What an application may choose about fine-tuning jobs. */
package io.peft4j.serve.job;
