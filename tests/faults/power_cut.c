/* Records, in one order, what processes do to the files of one folder: every write, every sync, every new and removed
 * name. Preloaded with LD_PRELOAD; power_cut_disk.py reads the record and works out what a disk could hold after a
 * power cut.
 *
 *   POWER_CUT_FOLDER   the folder, an absolute path without links
 *   POWER_CUT_RECORD   the file that is appended to, outside of the folder
 *
 * A write is recorded after it was made; a sync when it begins and when it ends, and it covers what was recorded before
 * it began. So nothing counts as synced that another process might have written too late. Nothing is really synced:
 * only the record is looked at, and a test need not wait for the machine's own disk.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define DESCRIPTORS 65536

static struct { char used; uint64_t file; } open_files[DESCRIPTORS];
static char folder[4096];
static size_t folder_length;
static int record_to = -1;

#define REAL(name) \
    static __typeof__(&name) real; \
    if (real == NULL) real = (__typeof__(&name)) dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void start(void)
{
    const char *where = getenv("POWER_CUT_FOLDER"), *record = getenv("POWER_CUT_RECORD");
    if (where == NULL || record == NULL || strlen(where) >= sizeof folder)
        return;
    record_to = open(record, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (record_to < 0)
        abort();
    strcpy(folder, where);
    folder_length = strlen(folder);
}

/* One record, with one call, so that those of several processes do not mix. */
static void note(char kind, uint64_t file, uint64_t offset, const void *data, size_t length)
{
    uint64_t head[4] = {(uint64_t) (unsigned char) kind | (uint64_t) syscall(SYS_gettid) << 8, file, offset, length};
    struct iovec parts[2] = {{head, sizeof head}, {(void *) data, length}};
    int before = errno;
    if (writev(record_to, parts, 2) != (ssize_t) (sizeof head + length))
        abort();
    errno = before;
}

/* The name in the folder, "" for the folder itself, NULL for what lies elsewhere. */
static const char *name_of(const char *path)
{
    if (folder_length == 0 || path == NULL || strncmp(path, folder, folder_length) != 0)
        return NULL;
    path += folder_length;
    return *path == '/' ? path + 1 : *path == '\0' ? path : NULL;
}

static int is_ours(int fd)
{
    return fd >= 0 && fd < DESCRIPTORS && open_files[fd].used;
}

typedef int (*opener)(const char *, int, ...);

static int opened(opener real, const char *path, int flags, mode_t mode)
{
    const char *name = name_of(path);
    struct stat found;
    int fd, made = 0;

    if (name == NULL)
        return real(path, flags, mode);
    for (;;) {      /* who makes the file, and who finds it? */
        fd = real(path, flags & ~(O_CREAT | O_EXCL), mode);
        if (fd >= 0 && (flags & O_CREAT) && (flags & O_EXCL)) {
            int (*really_close)(int) = (int (*)(int)) dlsym(RTLD_NEXT, "close");
            really_close(fd);
            errno = EEXIST;
            return -1;
        }
        if (fd >= 0 || errno != ENOENT || !(flags & O_CREAT))
            break;
        fd = real(path, flags | O_CREAT | O_EXCL, mode);
        if (fd >= 0 || errno != EEXIST) {
            made = 1;
            break;
        }
    }
    if (fd < 0)
        return fd;
    if (fd >= DESCRIPTORS || fstat(fd, &found) != 0)
        abort();
    open_files[fd].used = 1;
    open_files[fd].file = *name == '\0' ? 0 : (uint64_t) found.st_ino;
    if (*name != '\0')
        note(made ? 'C' : 'O', open_files[fd].file, 0, name, strlen(name));
    if (*name != '\0' && (flags & O_TRUNC) && !made)
        note('T', open_files[fd].file, 0, NULL, 0);
    return fd;
}

#define MODE() \
    mode_t mode = 0; \
    if (flags & O_CREAT) { va_list more; va_start(more, flags); mode = va_arg(more, int); va_end(more); }

int open(const char *path, int flags, ...)
{
    REAL(open);
    MODE();
    return opened(real, path, flags, mode);
}

int close(int fd)
{
    REAL(close);
    if (is_ours(fd))
        open_files[fd].used = 0;
    return real(fd);
}

ssize_t write(int fd, const void *data, size_t length)
{
    REAL(write);
    ssize_t done = real(fd, data, length);
    if (done > 0 && is_ours(fd))
        note('W', open_files[fd].file, (uint64_t) (lseek(fd, 0, SEEK_CUR) - done), data, done);
    return done;
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset)
{
    REAL(pwrite);
    ssize_t done = real(fd, data, length, offset);
    if (done > 0 && is_ours(fd))
        note('W', open_files[fd].file, offset, data, done);
    return done;
}

int ftruncate(int fd, off_t size)
{
    REAL(ftruncate);
    int done = real(fd, size);
    if (done == 0 && is_ours(fd))
        note('T', open_files[fd].file, size, NULL, 0);
    return done;
}

#ifdef __GLIBC__    /* musl has one set of names */
int open64(const char *path, int flags, ...)
{
    REAL(open64);
    MODE();
    return opened(real, path, flags, mode);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset)
{
    REAL(pwrite64);
    ssize_t done = real(fd, data, length, offset);
    if (done > 0 && is_ours(fd))
        note('W', open_files[fd].file, offset, data, done);
    return done;
}

int ftruncate64(int fd, off64_t size)
{
    REAL(ftruncate64);
    int done = real(fd, size);
    if (done == 0 && is_ours(fd))
        note('T', open_files[fd].file, size, NULL, 0);
    return done;
}
#endif

static int synced(int fd)
{
    note('B', open_files[fd].file, 0, NULL, 0);
    note('E', open_files[fd].file, 0, NULL, 0);
    return 0;
}

int fsync(int fd)
{
    REAL(fsync);
    return is_ours(fd) ? synced(fd) : real(fd);
}

int fdatasync(int fd)
{
    REAL(fdatasync);
    return is_ours(fd) ? synced(fd) : real(fd);
}

int unlink(const char *path)
{
    REAL(unlink);
    const char *name = name_of(path);
    int done = real(path);
    if (done == 0 && name != NULL)
        note('U', 0, 0, name, strlen(name));
    return done;
}
