/*
 * Recordings in a folder of the test, of records that are told apart by their number: of any type, with random bytes, the
 * number in seq and strand, the time number + 1 microseconds. What is wrong fails the test.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "record/reader.h"
#include "record/writer.h"

union record {
	struct rec_head head;
	char bytes[1024];
};

/* A number that looks random, always the same for the same @x. */
uint64_t mix(uint64_t x);

void make_record(union record *rec, uint32_t n);
void assert_is_record(const struct rec_head *got, uint32_t n);

/* Whether @rec is what a STATE chunk holds in these tests: a clock whose offset is the number of records so far. */
bool is_state(const struct rec_head *rec);

/* Adds the records @first to @end - 1, and state where the writer wants it. */
void add_records(struct record_writer *w, uint32_t first, uint32_t end);

/* The group's folder; set up and removed by the two at the end. */
extern char *folder;

/* @name in it; the caller frees. */
char *path_of(const char *name);

struct record_writer *open_writer(struct record_writer_settings settings);
struct record_reader *open_reader(const char *path);

/* A recording of the records 0 to @records - 1. */
void write_recording(const char *path, uint32_t records);

/* The same in @chunks chunks of @each records; a new file from @rotate_bytes on, 0 for never. */
void write_chunks(const char *path, uint32_t chunks, uint32_t each, uint64_t rotate_bytes);

/* The next record that is not of STATE: 1, or 0 at the end. */
int next_record(struct record_reader *r, const struct rec_head **ret);

/* The recording holds exactly the records @first to @end - 1, and no damage. */
void assert_holds(const char *path, uint32_t first, uint32_t end);

int make_folder(void **state);
int remove_folder(void **state);
