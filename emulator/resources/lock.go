package resources

import (
	"net/http"
	"strings"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
)

const lockType = "Microsoft.Authorization/locks"

func lockVersions() []string {
	return []string{"2015-01-01", "2015-05-01-preview", "2016-09-01", "2017-04-01", "2020-05-01"}
}

func (p *provider) locks() {
	s, v := p.s, lockVersions()
	s.Register(&arm.Type{Name: lockType, Versions: v, Unlisted: true})
	s.Guard(p.unlocked)
	const one = "/{scope}/providers/Microsoft.Authorization/locks/{lockName}"
	s.Handle(http.MethodPut, one, v, p.putLock)
	s.Handle(http.MethodGet, one, v, func(c *arm.Call) (*arm.Reply, error) {
		if r := p.s.Find(c.Path); r != nil {
			return arm.OK(p.s.View(r)), nil
		}
		return nil, arm.Refuse(http.StatusNotFound, "LockNotFound", "The lock '%s' could not be found.", c.Param("lockName"))
	})
	s.Handle(http.MethodDelete, one, v, func(c *arm.Call) (*arm.Reply, error) {
		r := p.s.Find(c.Path)
		if r == nil {
			return arm.Status(http.StatusNoContent), nil
		}
		p.s.Forget(r)
		return arm.Status(http.StatusOK), nil
	})
	s.Handle(http.MethodGet, "/{scope}/providers/Microsoft.Authorization/locks", v, p.listLocks)
}

func (p *provider) putLock(c *arm.Call) (*arm.Reply, error) {
	if err := c.NeedBody(); err != nil {
		return nil, err
	}
	level := azjson.Str(c.Body, "properties", "level")
	if level != "CanNotDelete" && level != "ReadOnly" {
		return nil, arm.BadRequest("InvalidLockLevel", "The lock level '%s' is invalid. The supported levels are 'CanNotDelete,ReadOnly'.", level)
	}
	scope, err := p.scope(c)
	if err != nil {
		return nil, err
	}
	id := scope.ID + "/providers/Microsoft.Authorization/locks/" + c.Param("lockName")
	old := p.s.Find(id)
	r := &arm.Resource{ID: id, Type: lockType, Body: azjson.Object{"id": id, "name": c.Param("lockName"), "type": lockType, "properties": azjson.Map(c.Body, "properties")}}
	p.s.Add(r)
	if old != nil {
		return arm.OK(p.s.View(r)), nil
	}
	return arm.Created(p.s.View(r)), nil
}

func (p *provider) listLocks(c *arm.Call) (*arm.Reply, error) {
	scope, err := p.scope(c)
	if err != nil {
		return nil, err
	}
	var l []any
	for _, r := range p.s.OfType(lockType) {
		// The locks above a scope and below it count.
		if held := lockedScope(r); within(scope.ID, held) || within(held, scope.ID) {
			l = append(l, p.s.View(r))
		}
	}
	return c.Page(l), nil
}

// lockedScope is what a lock is on.
func lockedScope(lock *arm.Resource) string {
	at := strings.LastIndex(strings.ToLower(lock.ID), "/providers/microsoft.authorization/locks/")
	return lock.ID[:max(at, 0)]
}

// within reports whether id is scope or below it.
func within(id, scope string) bool {
	id, scope = resourceid.Key(id), resourceid.Key(scope)
	return id == scope || strings.HasPrefix(id, scope+"/")
}

// unlocked refuses a write that a lock forbids. A deletion is also stopped by locks further down.
func (p *provider) unlocked(c *arm.Call) error {
	verb := "write"
	switch c.Method {
	case http.MethodGet, http.MethodHead:
		return nil
	case http.MethodDelete:
		verb = "delete"
	}
	if ns, _ := c.Route.Kind(); azjson.Fold(ns, "Microsoft.Authorization") {
		return nil
	}
	for _, r := range p.s.OfType(lockType) {
		scope := lockedScope(r)
		hit := within(c.Path, scope) || verb == "delete" && within(scope, c.Path)
		if !hit || verb == "write" && azjson.Str(r.Body, "properties", "level") != "ReadOnly" {
			continue
		}
		return arm.Conflict("ScopeLocked", "The scope '%s' cannot perform %s operation because following scope(s) are locked: '%s'. Please remove the lock and try again.", c.Path, verb, scope)
	}
	return nil
}
