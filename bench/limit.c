/* limit.c: what the disk protocol itself costs, in C: the system calls of publish, claim and complete as the
 * design lists them, and nothing else. Beside it the bare two renames, which no rename protocol can beat.
 *   cc -O2 -o limit limit.c && limit DIR MODE N PROCS     one JSON line
 * MODE: renames | kill | power (claim and complete) | publish (with its fsyncs) | publish_kill (without)
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TASK_BYTES = 400, RECORD = 64, SLOTS = 256 };
struct cursor { int64_t at, end; };
struct tail { int64_t seq, offset, inode; };
struct shared { volatile int ready; volatile double go; double last[SLOTS]; long done[SLOTS], missed[SLOTS]; };

static struct shared *S;
static char task[TASK_BYTES];
static const char *base;
static int food, done_dir, index_fd;

static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + t.tv_nsec * 1e-9; }
static void die(const char *what) { perror(what); exit(1); }
static void must(long answer, const char *what) { if (answer < 0) die(what); }
static int folder(const char *name) {
  char path[4096]; snprintf(path, sizeof path, "%s/%s", base, name);
  if (mkdir(path, 0755) && errno != EEXIST) die(path);
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC); must(fd, path); return fd;
}
static int file(const char *name, int flags) {
  char path[4096]; snprintf(path, sizeof path, "%s/%s", base, name);
  int fd = open(path, flags | O_CREAT | O_CLOEXEC, 0644); must(fd, path); return fd;
}
static int move(int from, const char *a, int to, const char *b) { return syscall(SYS_renameat2, from, a, to, b, 1 /* NOREPLACE */); }
static void name_of(char *out, long i) { snprintf(out, RECORD, "p5-%012ld.md", i); }

/* One journal line: the lock, the tail record, the size that must agree with it, the line, the new record. */
static void journal(int lock, int log, ino_t inode, const char *type, const char *name, int worker) {
  struct tail t = {0}; struct stat st; char line[512];
  must(flock(lock, LOCK_EX), "flock journal");
  must(pread(lock, &t, sizeof t, 0), "pread tail");
  must(fstat(log, &st), "fstat journal");
  if (st.st_size != t.offset || (ino_t)t.inode != inode) t.offset = st.st_size, t.inode = inode;
  int n = snprintf(line, sizeof line,
    "{\"seq\":%012ld,\"id\":\"e-%012ld\",\"ts\":\"2026-11-21T04:05:06.123Z\",\"type\":\"%s\",\"task\":\"%s\",\"worker\":\"w%d\",\"attempt\":1}\n",
    (long)t.seq + 1, (long)t.seq + 1, type, name, worker);
  must(write(log, line, n), "write journal");
  t.seq++; t.offset += n;
  must(pwrite(lock, &t, sizeof t, 0), "pwrite tail");
  flock(lock, LOCK_UN);
}

static int next_name(int cursor, char *name) {
  struct cursor c;
  must(flock(cursor, LOCK_EX), "flock cursor");
  must(pread(cursor, &c, sizeof c, 0), "pread cursor");
  int more = c.at < c.end;
  if (more) {
    must(pread(index_fd, name, RECORD, c.at * RECORD), "pread index");
    c.at++;
    must(pwrite(cursor, &c, sizeof c, 0), "pwrite cursor");
  }
  flock(cursor, LOCK_UN);
  return more;
}

static void protocol(int w, int power) {
  static const char result[] = "\n\n## Result <!-- snakepit 0123456789abcdef -->\n\nworker w, attempt 1, 0.0 s\n\ndone\n";
  char dir[64], name[RECORD], text[4096], line[128]; struct stat st;
  snprintf(dir, sizeof dir, "claimed/w%d", w); int mine = folder(dir);
  snprintf(dir, sizeof dir, "hand/h%d", w); int hand = folder(dir);
  snprintf(dir, sizeof dir, "claimed/w%d/.settled", w); int settled = file(dir, O_WRONLY | O_APPEND);
  int cursor = file("cursor", O_RDWR), lock = file("events.lock", O_RDWR), log = file("events.jsonl", O_WRONLY | O_APPEND);
  must(fstat(log, &st), "fstat"); ino_t inode = st.st_ino;
  __sync_fetch_and_add(&S->ready, 1); while (!S->go) usleep(50);
  while (next_name(cursor, name)) {
    /* claim */
    if (move(food, name, mine, name)) { S->missed[w]++; continue; }
    int held = openat(mine, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC); must(held, "open claim");
    must(fstat(held, &st), "fstat claim");
    must(fcntl(held, F_SETLEASE, F_RDLCK), "lease"); must(fcntl(held, F_SETLEASE, F_UNLCK), "unlease");
    must(read(held, text, sizeof text), "read task");
    journal(lock, log, inode, "task.claimed", name, w);
    /* complete */
    must(move(mine, name, hand, name), "take");
    int out = openat(hand, name, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC); must(out, "open result");
    must(fstat(out, &st), "fstat result");
    must(write(out, result, sizeof result - 1), "write result");
    if (power) must(fsync(out), "fsync result");
    int n = snprintf(line, sizeof line, "%s %lu\n", name, (unsigned long)st.st_ino);
    must(write(settled, line, n), "write settled");
    must(move(hand, name, done_dir, name), "publish");
    if (power) must(fsync(done_dir), "fsync done");
    close(out); close(held);
    journal(lock, log, inode, "task.completed", name, w);
    S->done[w]++;
  }
}
static void renames(int w, long n, int procs) {
  char name[RECORD]; int mine = folder("claimed");
  __sync_fetch_and_add(&S->ready, 1); while (!S->go) usleep(50);
  for (long i = w; i < n; i += procs) {
    name_of(name, i);
    if (move(food, name, mine, name) == 0 && move(mine, name, done_dir, name) == 0) S->done[w]++; else S->missed[w]++;
  }
}
static void publish(int w, long n, int procs, int power) {
  char dir[64], name[RECORD], out[RECORD + 16];
  snprintf(dir, sizeof dir, "hand/h%d", w); int hand = folder(dir);
  __sync_fetch_and_add(&S->ready, 1); while (!S->go) usleep(50);
  for (long i = w; i < n; i += procs) {
    name_of(name, i); snprintf(out, sizeof out, ".out.food.%s", name);
    int fd = openat(hand, ".t", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644); must(fd, "open .t");
    must(write(fd, task, TASK_BYTES), "write task"); if (power) must(fsync(fd), "fsync task"); close(fd);
    must(renameat(hand, ".t", hand, out), "rename out"); must(move(hand, out, food, name), "publish");
    if (power) must(fsync(food), "fsync food");
    S->done[w]++;
  }
}

int main(int argc, char **argv) {
  if (argc != 5) { fprintf(stderr, "usage: limit DIR renames|kill|power|publish|publish_kill N PROCS\n"); return 2; }
  base = argv[1]; const char *mode = argv[2]; long n = atol(argv[3]); int procs = atoi(argv[4]);
  if (procs < 1 || procs > SLOTS) return 2;
  memset(task, 'x', sizeof task); memcpy(task, "---\npriority: 5\n---\n", 20);
  food = folder("food"); done_dir = folder("done"); folder("claimed"); folder("hand");
  S = mmap(0, sizeof *S, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (S == MAP_FAILED) die("mmap");
  if (strncmp(mode, "publish", 7)) {
    index_fd = file("index", O_RDWR);
    for (long i = 0; i < n; i++) {
      char name[RECORD] = {0}; name_of(name, i);
      int fd = openat(food, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0644); must(fd, "fill");
      must(write(fd, task, TASK_BYTES), "fill"); close(fd);
      must(write(index_fd, name, RECORD), "index");
    }
    struct cursor c = {0, n}; int fd = file("cursor", O_RDWR); must(pwrite(fd, &c, sizeof c, 0), "cursor"); close(fd);
  }
  for (int w = 0; w < procs; w++) {
    pid_t child = fork(); must(child, "fork");
    if (child) continue;
    if (!strcmp(mode, "renames")) renames(w, n, procs);
    else if (!strcmp(mode, "kill") || !strcmp(mode, "power")) protocol(w, mode[0] == 'p');
    else publish(w, n, procs, !strcmp(mode, "publish"));
    S->last[w] = now(); _exit(0);
  }
  while (S->ready < procs) {
    usleep(200);
    if (waitpid(-1, 0, WNOHANG) > 0) { fprintf(stderr, "limit: a process ended before the start\n"); return 1; }
  }
  double start = now(); S->go = start; int status, failed = 0;
  while (wait(&status) > 0) failed |= status != 0;
  double end = start; long done = 0, missed = 0;
  for (int w = 0; w < procs; w++) { done += S->done[w]; missed += S->missed[w]; if (S->last[w] > end) end = S->last[w]; }
  printf("{\"mode\":\"%s\",\"n\":%ld,\"procs\":%d,\"done\":%ld,\"missed\":%ld,\"secs\":%.6f,\"per_s\":%.1f}\n",
         mode, n, procs, done, missed, end - start, done / (end - start));
  return failed;
}
