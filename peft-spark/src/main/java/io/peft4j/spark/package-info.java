/** PEFT4J on a cluster of Apache Spark. */
package io.peft4j.spark;
